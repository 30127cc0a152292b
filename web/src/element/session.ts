/**
 * The state of one `<dermlet-classifier>`, without a DOM: the model being loaded, and its photos. They are run one at a
 * time, the one being looked at first, then in the order in which they came. Each change fires a `change` event, after
 * which the public fields hold the new state.
 */

import type { BackendChoice, Crop, LoadProgress, ModelInfo, Result, Stage } from '../classifier/index.js';
import { Classifier, DermletError, isModelName } from '../classifier/index.js';
import { say } from '../messages/index.js';

export type LoadState =
  | { kind: 'idle' }
  | { kind: 'loading'; progress: LoadProgress | null; stalled: boolean }
  | { kind: 'ready'; model: ModelInfo }
  | { kind: 'failed'; error: DermletError };

export type PhotoState =
  | { kind: 'waiting' }
  | { kind: 'running'; stage: Stage }
  | { kind: 'done'; result: Result }
  | { kind: 'failed'; error: DermletError }
  | { kind: 'cancelled' };

export interface Photo {
  readonly id: number;
  readonly name: string;
  readonly file: Blob;
  /** `blob:` address for showing the file until its result is there; ends with the photo. */
  readonly url: string;
  /** Null: whichever the picture looks like. */
  readonly modality: string | null;
  /** Null: a frame around the spot, where there is one. */
  readonly crop: Crop | null;
  readonly state: PhotoState;
  /** When the photo was chosen, as `performance.now()` tells it. */
  readonly chosenAt: number;
}

/**
 * Pixels for showing take several MB a photo: those of older photos are dropped, and made again when the photo is
 * looked at again.
 */
const KEPT_PICTURES = 8;
/** Milliseconds without progress after which loading is called slow. */
const STALLED_AFTER = 12_000;

function asDermletError(error: unknown): DermletError {
  if (error instanceof DermletError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new DermletError('BACKEND_FAILED', message, { cause: error });
}

/** What another session goes on with: the photos as they were chosen, without what was found. */
export interface Released {
  photos: readonly Pick<Photo, 'id' | 'name' | 'file' | 'url' | 'chosenAt'>[];
  selectedId: number | null;
}

/** Gives the addresses of photos back that no session goes on with. */
function discard({ photos }: Released): void {
  for (const { url } of photos) URL.revokeObjectURL(url);
}

/**
 * A name stays one; an address is the document's, which may have a base of its own. What is neither is for the
 * classifier to refuse.
 */
function modelOf(text: string): string | URL | undefined {
  if (text === '') return undefined;
  return isModelName(text) || !URL.canParse(text, document.baseURI) ? text : new URL(text, document.baseURI);
}

export interface SessionOptions {
  /** A model's name, or its address relative to the document; empty: the default. */
  model: string;
  /** Of a session before. */
  from: Released;
  backend: BackendChoice;
  /** Address relative to the document; empty: where Dermlet was served from. */
  assetBase: string;
  onReady: (model: ModelInfo) => void;
  onResult: (photo: Photo, result: Result) => void;
  /** Without a photo: loading failed. */
  onError: (photo: Photo | null, error: DermletError) => void;
}

export class Session extends EventTarget {
  load: LoadState = { kind: 'idle' };
  /** Newest in front. */
  photos: readonly Photo[] = [];
  selectedId: number | null = null;
  /** For photos to come; null: whichever each looks like. */
  modality: string | null = null;

  readonly #options: SessionOptions;
  #classifier: Classifier | null = null;
  #loading: AbortController | null = null;
  #running: { id: number; controller: AbortController } | null = null;
  #nextId = 1;

  constructor(options: SessionOptions) {
    super();
    this.#options = options;
    this.photos = options.from.photos.map((photo) => ({
      ...photo,
      modality: null,
      crop: null,
      state: { kind: 'waiting' },
    }));
    this.selectedId = options.from.selectedId;
    this.#nextId = 1 + Math.max(0, ...this.photos.map(({ id }) => id));
  }

  get selected(): Photo | null {
    return this.photos.find((photo) => photo.id === this.selectedId) ?? null;
  }

  /**
   * Starts loading unless that was done. After a failure only `retry` or a new photo starts it again: nothing is tried
   * in a circle.
   */
  start(): void {
    if (this.load.kind === 'idle') void this.#load();
  }

  /** Ends a load that hangs, if any, and starts anew. */
  retry(): void {
    this.#loading?.abort();
    this.#loading = null;
    if (!this.#classifier) void this.#load();
  }

  /** Puts the files in front, the first of them selected, and runs them in order. */
  add(files: readonly File[]): void {
    if (files.length === 0) return;
    const chosenAt = performance.now();
    const added = files.map(
      (file): Photo => ({
        id: this.#nextId++,
        name: file.name || say('picker.pasted'),
        file,
        url: URL.createObjectURL(file),
        modality: this.modality,
        crop: null,
        state: { kind: 'waiting' },
        chosenAt,
      }),
    );
    this.photos = [...added, ...this.photos];
    this.selectedId = added[0]?.id ?? null;
    this.#changed();
    if (this.load.kind === 'failed') this.retry();
    else this.start();
    void this.#pump();
  }

  /** The photo's modality becomes that of photos to come: the switch shows one value. */
  select(id: number): void {
    const photo = this.photos.find((other) => other.id === id);
    if (!photo) return;
    this.selectedId = id;
    this.modality = photo.modality;
    if (photo.state.kind === 'done' && !photo.state.result.pictures) this.again(id);
    else this.#changed();
  }

  /** Runs a photo once more. */
  again(id: number): void {
    this.#cancelRun(id);
    this.#update(id, { state: { kind: 'waiting' } });
    void this.#pump();
  }

  /** Shows the network another part of a photo, and runs it again. */
  setCrop(id: number, crop: Crop | null): void {
    this.#update(id, { crop });
    this.again(id);
  }

  /** For photos to come and for the one selected, which is run again. Null: whichever each looks like. */
  setModality(modality: string | null): void {
    this.modality = modality;
    const id = this.selectedId;
    if (id === null) return this.#changed();
    this.#update(id, { modality });
    this.again(id);
  }

  cancel(id: number): void {
    this.#cancelRun(id);
    this.#update(id, { state: { kind: 'cancelled' } });
    void this.#pump();
  }

  remove(id: number): void {
    this.#cancelRun(id);
    const index = this.photos.findIndex((photo) => photo.id === id);
    const photo = this.photos[index];
    if (!photo) return;
    URL.revokeObjectURL(photo.url);
    this.photos = this.photos.filter((other) => other !== photo);
    if (this.selectedId === id) this.selectedId = (this.photos[index] ?? this.photos[index - 1])?.id ?? null;
    this.#changed();
    void this.#pump();
  }

  /** Gives everything back. The session is not used after it. */
  dispose(): void {
    discard(this.release());
  }

  /** Ends the session and hands its photos on; whoever takes them gives their addresses back. */
  release(): Released {
    this.#loading?.abort();
    this.#running?.controller.abort();
    void this.#classifier?.dispose();
    this.#classifier = null;
    const photos = this.photos.map(({ id, name, file, url, chosenAt }) => ({ id, name, file, url, chosenAt }));
    this.photos = [];
    return { photos, selectedId: this.selectedId };
  }

  async #load(): Promise<void> {
    const controller = new AbortController();
    this.#loading = controller;
    const current = () => this.#loading === controller;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const note = (progress: LoadProgress | null, stalled: boolean) => {
      if (!current()) return;
      clearTimeout(timer);
      if (!stalled) timer = setTimeout(() => note(progress, true), STALLED_AFTER);
      this.load = { kind: 'loading', progress, stalled };
      this.#changed();
    };
    note(null, false);
    try {
      const classifier = await Classifier.load(modelOf(this.#options.model), {
        backend: this.#options.backend,
        ...(this.#options.assetBase ? { assetBase: new URL(this.#options.assetBase, document.baseURI) } : {}),
        signal: controller.signal,
        onProgress: (progress) => note(progress, false),
      });
      if (!current() || controller.signal.aborted) return void classifier.dispose();
      this.#classifier = classifier;
      this.load = { kind: 'ready', model: classifier.model };
      this.#options.onReady(classifier.model);
    } catch (error) {
      if (!current() || controller.signal.aborted) return;
      this.load = { kind: 'failed', error: asDermletError(error) };
      this.#options.onError(null, this.load.error);
    } finally {
      clearTimeout(timer);
      if (current()) this.#loading = null;
    }
    this.#changed();
    void this.#pump();
  }

  /** Runs the photo that has waited longest. One at a time: a dropped folder must not be read into memory at once. */
  async #pump(): Promise<void> {
    if (this.#running || !this.#classifier) return;
    const waiting = this.photos.filter((photo) => photo.state.kind === 'waiting');
    const photo =
      waiting.find((other) => other.id === this.selectedId) ??
      waiting.reduce<Photo | null>((a, b) => (!a || b.id < a.id ? b : a), null);
    if (!photo) return;
    const controller = new AbortController();
    const run = { id: photo.id, controller };
    this.#running = run;
    try {
      const result = await this.#classify(this.#classifier, photo, controller.signal);
      if (controller.signal.aborted) return;
      this.#update(photo.id, { state: { kind: 'done', result } });
      this.#dropOldPictures();
      this.#options.onResult(photo, result);
    } catch (error) {
      if (controller.signal.aborted) return;
      const failure = asDermletError(error);
      this.#update(photo.id, { state: { kind: 'failed', error: failure } });
      this.#options.onError(photo, failure);
    } finally {
      if (this.#running === run) this.#running = null;
      void this.#pump();
    }
  }

  #classify(classifier: Classifier, photo: Photo, signal: AbortSignal): Promise<Result> {
    this.#update(photo.id, { state: { kind: 'running', stage: 'starting' } });
    return classifier.classify(photo.file, {
      signal,
      ...(photo.modality ? { modality: photo.modality } : {}),
      ...(photo.crop ? { crop: photo.crop } : {}),
      explain: true,
      pictures: true,
      onStage: (stage) => {
        if (!signal.aborted && stage !== 'done') this.#update(photo.id, { state: { kind: 'running', stage } });
      },
    });
  }

  #cancelRun(id: number): void {
    if (this.#running?.id !== id) return;
    this.#running.controller.abort();
    this.#running = null;
  }

  #dropOldPictures(): void {
    const withPictures = this.photos.filter((photo) => photo.state.kind === 'done' && photo.state.result.pictures);
    const drop = new Set(withPictures.slice(KEPT_PICTURES).filter((photo) => photo.id !== this.selectedId));
    if (drop.size === 0) return;
    this.photos = this.photos.map((photo) => {
      if (!drop.has(photo) || photo.state.kind !== 'done') return photo;
      const { pictures: _pictures, ...result } = photo.state.result;
      return { ...photo, state: { kind: 'done', result } };
    });
    this.#changed();
  }

  #update(id: number, change: Partial<Pick<Photo, 'modality' | 'crop' | 'state'>>): void {
    this.photos = this.photos.map((photo) => (photo.id === id ? { ...photo, ...change } : photo));
    this.#changed();
  }

  #changed(): void {
    this.dispatchEvent(new Event('change'));
  }
}
