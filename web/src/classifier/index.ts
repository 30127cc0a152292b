/** Dermlet's classifier: everything an embedder needs, and no internals. */
export { Classifier, listModels } from './classifier.js';
export { FORMAT_FILES, QUALITY_CHECKS } from './contract.js';
export { DermletError, type ErrorCode } from './errors.js';
export { MAX_FILE_BYTES } from './given.js';
export type { Head, HeadInfo, HeadWarning } from './head.js';
export type { InspectedFile, Inspection, SelfTestRun } from './inspection.js';
export { onKept } from './kept-channel.js';
export { keptVersion } from './model-store.js';
export { isModelName } from './models.js';
export type { OpenAtlas } from './open-atlas.js';
export type { ModelFiles } from './opened-files.js';
export type {
  BackendChoice,
  ClassifyInput,
  ClassifyOptions,
  Crop,
  FailedUpdate,
  LesionPicture,
  ListOptions,
  LoadOptions,
  LoadProgress,
  ModelInfo,
  ModelSummary,
  Stage,
  TrainingExample,
  TrainOptions,
} from './options.js';
export type { RequestLog } from './requests.js';
export { requestLog } from './requests.js';
export {
  type Backend,
  type ColourSource,
  type Concern,
  type Frame,
  type Framing,
  type Lesion,
  type ModalityChoice,
  type Outcome,
  type Picture,
  type Quality,
  type QualityCheck,
  type QualityCheckId,
  type RankedClass,
  type Rect,
  type Rejection,
  type Result,
  type ResultImages,
  type Runtime,
  type Source,
  type Spot,
  type Tier,
  withoutImages,
} from './result.js';
export type { AtlasCase, SimilarCase, UsualSimilarity } from './similar.js';
