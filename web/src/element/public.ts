/** The public types of `<dermlet-classifier>`, free of library types. */
import type { BackendChoice, DermletError, ModelInfo, Result } from '../classifier/index.js';

export interface DermletReadyDetail {
  model: ModelInfo;
}

export interface DermletResultDetail {
  result: Result;
  /** The file's name. */
  name: string;
}

export interface DermletErrorDetail {
  error: DermletError;
  /** The file's name; null when the model or the engine could not be loaded. */
  name: string | null;
}

/** Events, which bubble and cross shadow boundaries. */
export interface DermletClassifierEvents {
  'dermlet-ready': CustomEvent<DermletReadyDetail>;
  'dermlet-result': CustomEvent<DermletResultDetail>;
  'dermlet-error': CustomEvent<DermletErrorDetail>;
}

/** Each is also an attribute; `assetBase` and `wholePage` are `asset-base` and `whole-page`. */
export interface DermletClassifierProperties {
  /** A name from `listModels`, or the address of a folder relative to the document. Empty: the default. */
  model: string;
  /** Folder of the engine's files, relative to the document. Empty: where Dermlet was served from. */
  assetBase: string;
  backend: BackendChoice;
  /** `interest`: downloads start when a person points at, focuses or drops on the element; `now`: immediately. */
  load: 'interest' | 'now';
  /** Accept drops and pastes anywhere on the page. */
  wholePage: boolean;
}

/** `<dermlet-classifier>` */
export interface DermletClassifierElement extends HTMLElement, DermletClassifierProperties {
  /** Whether there is at least one photo. Reflected. */
  readonly filled: boolean;
  /** Adds photos as if a person had chosen them. */
  add(files: readonly File[]): void;
}

declare global {
  interface HTMLElementTagNameMap {
    'dermlet-classifier': DermletClassifierElement;
  }
  interface HTMLElementEventMap extends DermletClassifierEvents {}
}
