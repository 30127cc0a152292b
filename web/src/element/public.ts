/** The public types of `<dermlet-classifier>`, free of library types. */
import type { BackendChoice, Crop, DermletError, ModelFiles, ModelInfo, Result } from '../classifier/index.js';

export interface DermletReadyDetail {
  model: ModelInfo;
}

export interface DermletResultDetail {
  result: Result;
  /** The file's name. */
  name: string;
  /** What the network was asked to look at; `result.source.region` says what it was shown. */
  crop: Crop;
  /** Whether the person went back to this earlier result, for which nothing was run; it then has no `images`. */
  undone: boolean;
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

/** Each but `modelFiles` and `head` is also an attribute, such as `asset-base` for `assetBase`. */
export interface DermletClassifierProperties {
  /** A name from `listModels`, or the address of a folder relative to the document. Empty: the default. */
  model: string;
  /** The files of a model that a person has opened from this device, in place of `model`; they are not kept. */
  modelFiles: ModelFiles | null;
  /**
   * The file of a head, trained on this very model (`Classifier.trainHead`): answers come in its categories, without a
   * tier. Another model needs another head: set both, or null, together.
   */
  head: Blob | null;
  /** Folder of the engine's files, relative to the document. Empty: where Dermlet was served from. */
  assetBase: string;
  backend: BackendChoice;
  /** What kind of picture new photos are, such as `dermoscopy`; empty: told by each picture. A person may change it. */
  modality: string;
  /** `interest`: downloads start when a person points at, focuses or drops on the element; `now`: immediately. */
  load: 'interest' | 'now';
  /** Accept drops and pastes anywhere on the page. */
  wholePage: boolean;
  /** Folder with a page about each category, `<id>.html`; empty: none. */
  categoryPages: string;
  /** Names of the models whose cards are pages in that folder, `card-<name>.html`, with spaces between them. */
  cardPages: string;
  /** An https address where to look for a doctor, opened on a tap only; empty: none. */
  doctorSearch: string;
  /** In a form: the name under which each answer is sent, as JSON (`DermletFormDocument`). Empty: nothing is. */
  name: string;
  /** In a form: whether it can only be sent with an answer. */
  required: boolean;
  /** Whether nothing can be chosen here; a form then sends nothing of it. */
  disabled: boolean;
  /**
   * In a form: the name under which the photos are sent, as JPEG written anew, if the person ticks a box that is not
   * ticked at first. Empty: that is not asked.
   */
  submitPhoto: string;
}

/** What a form sends of one answer, as JSON. */
export interface DermletFormDocument {
  /** Grows when a field changes its meaning. */
  documentVersion: 1;
  /** ISO 8601, UTC. */
  classifiedAt: string;
  /** Without pictures. */
  result: Result;
  /** The name of its photo among the files of the form; null: the photo is not sent. */
  photo: string | null;
}

/** `<dermlet-classifier>` */
export interface DermletClassifierElement extends HTMLElement, DermletClassifierProperties {
  /** Whether there is at least one photo. Reflected. */
  readonly filled: boolean;
  /** The form that it is in; null if none. */
  readonly form: HTMLFormElement | null;
  /** Undefined in browsers that know no such elements (before 2023). */
  readonly validity: ValidityState | undefined;
  /** Why a form with it cannot be sent yet, in the language of the element; empty if it can. */
  readonly validationMessage: string;
  /** Whether a form with it can be sent; else fires `invalid`. */
  checkValidity(): boolean;
  /** As `checkValidity`, and shows the person why not. */
  reportValidity(): boolean;
  /** Adds photos as if a person had chosen them. */
  add(files: readonly File[]): void;
  /**
   * Looks at the selected photo again, as if a person had framed a part of it; without a photo nothing happens. A crop
   * that lies outside of the picture gives `dermlet-error` with `INVALID_ARGUMENT`, and the earlier result stays.
   * @param crop - As in `ClassifyOptions`; pixels of the upright picture.
   */
  setCrop(crop: Crop): void;
}

declare global {
  interface HTMLElementTagNameMap {
    'dermlet-classifier': DermletClassifierElement;
  }
  interface HTMLElementEventMap extends DermletClassifierEvents {}
}
