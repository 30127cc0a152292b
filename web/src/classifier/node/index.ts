/** Dermlet's classifier in Node. */

export type { Atlas, AtlasWriter } from '../atlas.js';
export {
  DEFAULT_MODEL,
  FORMAT_FILES,
  MAX_MALIGNANT_LOW,
  MAX_POSITIVE_LOW,
  MIN_MALIGNANT_HIGH,
  OUTCOMES,
} from '../contract.js';
export { DermletError, type ErrorCode } from '../errors.js';
export { classIdOf, showsOne } from '../examples.js';
export { MAX_FILE_BYTES } from '../given.js';
export { type Head, type HeadInfo, type HeadWarning, headInfo, SET_MASS } from '../head.js';
export { headFile, MAX_HEAD_BYTES, readHead } from '../head-file.js';
export type * from '../options.js';
export * from '../result.js';
export type { AtlasCase, SimilarCase, UsualSimilarity } from '../similar.js';
export { openAtlas, startAtlas } from './atlas.js';
export { Classifier, readModelInfo } from './classifier.js';
export { isShippedModel } from './engine.js';
export { assetsFolder } from './files.js';
export { exportHead } from './head-model.js';
export { type ModelFile, modelFiles, sealModel, testPictureOf } from './model-check.js';
export { readPictureFile } from './picture-file.js';
export { FileRefused, readRegularFile } from './regular-file.js';
