/** What others see of `<dermlet-classifier>`, in types that need no library. */
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

/** The events, which bubble out of shadow trees. */
export interface DermletClassifierEvents {
  'dermlet-ready': CustomEvent<DermletReadyDetail>;
  'dermlet-result': CustomEvent<DermletResultDetail>;
  'dermlet-error': CustomEvent<DermletErrorDetail>;
}

/** Each is an attribute as well; `assetBase` and `wholePage` as `asset-base` and `whole-page`. */
export interface DermletClassifierProperties {
  /** A name, as `listModels` gives it, or the address of a folder, relative to the document; empty: the default. */
  model: string;
  /** Folder of the engine's files, relative to the document; empty: where Dermlet was served from. */
  assetBase: string;
  backend: BackendChoice;
  /** `interest`: downloads start when a person points at, focuses or drops on the element; `now`: at once. */
  load: 'interest' | 'now';
  /** Drops and pastes anywhere on the page are taken. */
  wholePage: boolean;
}

/** `<dermlet-classifier>` */
export interface DermletClassifierElement extends HTMLElement, DermletClassifierProperties {
  /** There is at least one photo. Reflected. */
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
