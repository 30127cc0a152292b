/**
 * The state of one `<dermlet-classifier>`, without a DOM: the model being loaded, and its photos. They are run one at a
 * time, the one being looked at first, then in the order in which they came. Each change fires a `change` event, after
 * which the public fields hold the new state.
 */

import type { BackendChoice, Crop, FailedUpdate, LoadProgress, ModelInfo, Result, Stage } from '../classifier/index.js';
import { Classifier, DermletError, isModelName } from '../classifier/index.js';
import { say } from '../messages/index.js';

export type LoadState =
  | { kind: 'idle' }
  | { kind: 'loading'; progress: LoadProgress | null; stalled: boolean }
  | { kind: 'ready'; model: ModelInfo; failedUpdate: FailedUpdate | undefined }
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
  /** `blob:` address to display the file until its result is there; revoked with the photo. */
  readonly url: string;
  /** Null: recognised from the picture. */
  readonly modality: string | null;
  /** Null: located automatically. */
  readonly crop: Crop | null;
  readonly state: PhotoState;
  /** When the photo was chosen, by `performance.now()`. */
  readonly chosenAt: number;
}

/** Previews take several MB per photo: older ones are dropped, and made again when their photo is selected. */
const KEPT_PICTURES = 8;
/** Milliseconds without progress after which loading counts as stalled. */
const STALLED_AFTER = 12_000;

function asDermletError(error: unknown): DermletError {
  if (error instanceof DermletError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new DermletError('BACKEND_FAILED', message, { cause: error });
}

/** What the next session continues with: the photos as chosen, without results. */
export interface Released {
  photos: readonly Pick<Photo, 'id' | 'name' | 'file' | 'url' | 'chosenAt'>[];
  selectedId: number | null;
}

/** Revokes the addresses of photos that no session continues with. */
function discard({ photos }: Released): void {
  for (const { url } of photos) URL.revokeObjectURL(url);
}

/**
 * Keeps a name; resolves an address against the document's base. Anything else is passed on for the classifier to
 * refuse.
 */
function modelOf(text: string): string | URL | undefined {
  if (text === '') return undefined;
  return isModelName(text) || !URL.canParse(text, document.baseURI) ? text : new URL(text, document.baseURI);
}

export interface SessionOptions {
  /** A model's name, or its address relative to the document. Empty: the default. */
  model: string;
  /** Photos of the previous session. */
  from: Released;
  backend: BackendChoice;
  /** Address relative to the document. Empty: where Dermlet was served from. */
  assetBase: string;
  onReady: (model: ModelInfo) => void;
  onResult: (photo: Photo, result: Result) => void;
  /** `photo` is null when loading failed. */
  onError: (photo: Photo | null, error: DermletError) => void;
}

export class Session extends EventTarget {
  load: LoadState = { kind: 'idle' };
  /** Newest first. */
  photos: readonly Photo[] = [];
  selectedId: number | null = null;
  /** For new photos; null: recognised from each picture. */
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

  /** Starts loading, once. After a failure only `retry` or a new photo starts it again: nothing retries in a loop. */
  start(): void {
    if (this.load.kind === 'idle') void this.#load();
  }

  /** Aborts a pending load, if any, and starts over. */
  retry(): void {
    this.#loading?.abort();
    this.#loading = null;
    if (!this.#classifier) void this.#load();
  }

  /** Adds the files at the front, selects the first of them, and runs them in order. */
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
    void this.#runNext();
  }

  /** Also makes the photo's modality that of new photos, because one control shows both. */
  select(id: number): void {
    const photo = this.photos.find((other) => other.id === id);
    if (!photo) return;
    this.selectedId = id;
    this.modality = photo.modality;
    if (photo.state.kind === 'done' && !photo.state.result.images) this.rerun(id);
    else this.#changed();
  }

  /** Classifies a photo again. */
  rerun(id: number): void {
    this.#cancelRun(id);
    this.#update(id, { state: { kind: 'waiting' } });
    void this.#runNext();
  }

  /** Changes the crop of a photo and classifies it again. */
  setCrop(id: number, crop: Crop | null): void {
    this.#update(id, { crop });
    this.rerun(id);
  }

  /** Applies to new photos and to the selected one, which is classified again. Null: recognised from the picture. */
  setModality(modality: string | null): void {
    this.modality = modality;
    const id = this.selectedId;
    if (id === null) return this.#changed();
    this.#update(id, { modality });
    this.rerun(id);
  }

  cancel(id: number): void {
    this.#cancelRun(id);
    this.#update(id, { state: { kind: 'cancelled' } });
    void this.#runNext();
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
    void this.#runNext();
  }

  /** Releases everything; the session must not be used afterwards. */
  dispose(): void {
    discard(this.release());
  }

  /** Ends the session and returns its photos; the caller then owns their `blob:` addresses. */
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
    const report = (progress: LoadProgress | null, stalled: boolean) => {
      if (!current()) return;
      clearTimeout(timer);
      if (!stalled) timer = setTimeout(() => report(progress, true), STALLED_AFTER);
      this.load = { kind: 'loading', progress, stalled };
      this.#changed();
    };
    report(null, false);
    try {
      const classifier = await Classifier.load(modelOf(this.#options.model), {
        backend: this.#options.backend,
        ...(this.#options.assetBase ? { assetBase: new URL(this.#options.assetBase, document.baseURI) } : {}),
        signal: controller.signal,
        onProgress: (progress) => report(progress, false),
      });
      if (!current() || controller.signal.aborted) return void classifier.dispose();
      this.#classifier = classifier;
      this.load = { kind: 'ready', model: classifier.model, failedUpdate: classifier.failedUpdate };
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
    void this.#runNext();
  }

  /**
   * Runs the selected photo, else the oldest one waiting. One at a time, so that a dropped folder is never in memory as
   * a whole.
   */
  async #runNext(): Promise<void> {
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
      void this.#runNext();
    }
  }

  #classify(classifier: Classifier, photo: Photo, signal: AbortSignal): Promise<Result> {
    this.#update(photo.id, { state: { kind: 'running', stage: 'starting' } });
    return classifier.classify(photo.file, {
      signal,
      ...(photo.modality ? { modality: photo.modality } : {}),
      ...(photo.crop ? { crop: photo.crop } : {}),
      explain: true,
      images: true,
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
    const withImages = this.photos.filter((photo) => photo.state.kind === 'done' && photo.state.result.images);
    const drop = new Set(withImages.slice(KEPT_PICTURES).filter((photo) => photo.id !== this.selectedId));
    if (drop.size === 0) return;
    this.photos = this.photos.map((photo) => {
      if (!drop.has(photo) || photo.state.kind !== 'done') return photo;
      const { images: _images, ...result } = photo.state.result;
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
