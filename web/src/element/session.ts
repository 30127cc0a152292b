/**
 * The state of one `<dermlet-classifier>`, without a DOM: the model being loaded, and its photos. They are run one at a
 * time, the one being looked at first, then in the order in which they came. Each change fires a `change` event, after
 * which the public fields hold the new state.
 */

import type {
  BackendChoice,
  Crop,
  FailedUpdate,
  Inspection,
  LoadOptions,
  LoadProgress,
  ModelFiles,
  ModelInfo,
  Picture,
  Quality,
  Result,
  Spot,
  Stage,
  Tier,
} from '../classifier/index.js';
import { Classifier, DermletError, isModelName, requestLog, withoutImages } from '../classifier/index.js';
import { say } from '../messages/index.js';
import { headRoom } from './heads.js';
import type { Answers } from './questions/advice.js';
import type { Reading } from './review/readings.js';

export type LoadState =
  | { kind: 'idle' }
  | { kind: 'loading'; progress: LoadProgress | null; stalled: boolean }
  | { kind: 'ready'; model: ModelInfo; failedUpdate: FailedUpdate | undefined; kept: boolean }
  | { kind: 'failed'; error: DermletError };

/** A second photo of the same spot, as it was looked at by itself. */
export interface Other extends Pick<Look, 'modality' | 'crop'> {
  readonly name: string;
  readonly file: Blob;
}

/** What a person asks for beyond a plain look, with the words of the room that asked. */
export interface Closer {
  /** Whether the scores are means over the views of test-time augmentation. */
  readonly thorough: boolean;
  /** Scored together with the photo; null: the photo alone. */
  readonly other: Other | null;
  /** Says so beside the answer. `name`: the photo's own; null: no file's name may stand in it. */
  readonly words: (name: string | null) => string;
}

/** How a photo is asked to be looked at. */
export interface Look {
  /** Null: recognised from the picture. */
  readonly modality: string | null;
  /** Null: located automatically. */
  readonly crop: Crop | null;
  /** Null: a plain look. */
  readonly closer: Closer | null;
}

const lookOf = ({ modality, crop, closer }: Look): Look => ({ modality, crop, closer });

/** A picture's options for the classifier. */
const optionsOf = ({ modality, crop }: Pick<Look, 'modality' | 'crop'>) => ({
  ...(modality ? { modality } : {}),
  ...(crop ? { crop } : {}),
});

export type Running = { kind: 'waiting' } | { kind: 'running'; stage: Stage };

/** Another look at a photo that has a result: under way, or failed; `wanted` is how it was to be looked at. */
export type Again = Running | { kind: 'failed'; error: DermletError; wanted: Look };

/** Pictures for display, as the core gave them or, for older photos, smaller. */
export interface Shown {
  readonly preview: Picture | ImageBitmap;
  readonly overlay: Picture | ImageBitmap | null;
}

/** A result from before the last crop, to go back to without another run. */
export interface Earlier {
  readonly result: Result;
  readonly at: number;
  readonly seen: Look;
  readonly overlay: Shown['overlay'];
}

/** A result stays until there is a new one. `seen` is how the photo was looked at for it. */
export interface Done {
  kind: 'done';
  result: Result;
  /** When the result came, in milliseconds since 1970. */
  at: number;
  seen: Look;
  shown: Shown | null;
  again: Again | null;
  /** Latest first; of the same modality. */
  earlier: readonly Earlier[];
}

export type PhotoState = Running | Done | { kind: 'failed'; error: DermletError } | { kind: 'cancelled' };

/** What a person's answers ask for beyond the network's tier, with the words of the room that asked. */
export interface Raised {
  readonly tier: Tier;
  readonly title: () => string;
  /** By which answers. */
  readonly because: () => string;
  /** What the network alone says. */
  readonly network: () => string;
}

/** What a person has said of a photo. */
export interface Said {
  readonly answers: Answers;
  /** Null where the answers ask for no more than the tier does. */
  readonly raised: (tier: Tier) => Raised | null;
}

/** The network's tier, or the one that a person's answers ask for: they only ever raise it. */
export const tierOf = ({ tier }: Pick<Result, 'tier'>, said: Said | null): Tier => said?.raised(tier)?.tier ?? tier;

export interface Photo extends Look {
  readonly id: number;
  readonly name: string;
  readonly file: Blob;
  /** `blob:` address to display the file until its result is there, if `accepted`; revoked with the photo. */
  readonly url: string;
  /** Whether the core has read it: a browser that displays what it refused may need any amount of memory for it. */
  readonly accepted: boolean;
  /** The spots that were found when it was last looked for them, best first. */
  readonly spots: readonly Spot[];
  readonly state: PhotoState;
  /** When the photo was chosen, by `performance.now()`. */
  readonly chosenAt: number;
  /** Null: nothing yet. Kept nowhere else, and gone with the photo. */
  readonly said: Said | null;
  /** What a second reader calls it; kept as `said` is. */
  readonly reading: Reading | null;
}

export interface Removed {
  readonly photos: readonly Photo[];
  /** Ids of all photos as they stood. */
  readonly before: readonly number[];
  readonly selectedId: number | null;
}

/** Previews take several MB per photo: those of photos that were not looked at lately are replaced by smaller ones. */
const KEPT_PICTURES = 4;
/** Results of one photo that can be gone back to: each has a heat map of a megabyte. */
const KEPT_EARLIER = 8;
/** Photos with a smaller picture; the others have a thumbnail, so that hundreds fit in memory. */
const KEPT_SMALL = 40;
/** Pixels, the longer sides of smaller pictures. A heat map is as smooth when it is drawn larger. */
const SMALL = { preview: 448, overlay: 128 };
const THUMBNAIL = { preview: 192, overlay: 64 };
/** Milliseconds without progress after which loading counts as stalled. */
const STALLED_AFTER = 12_000;
/** Milliseconds without work after which the rest is fetched: what only some photos need. */
const AHEAD_AFTER = 1500;
/** Milliseconds after which it is looked whether what was kept is there still. */
const LOOK_AFTER = 5000;

/** Stages after a picture has been read. */
export const READ: readonly Stage[] = ['analysing', 'explaining'];

export function asDermletError(error: unknown): DermletError {
  if (error instanceof DermletError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new DermletError('BACKEND_FAILED', message, { cause: error });
}

/** What the next session continues with: the photos as chosen, without results. */
export interface Released {
  photos: readonly Pick<Photo, 'id' | 'name' | 'file' | 'url' | 'chosenAt' | 'said' | 'reading'>[];
  selectedId: number | null;
}

/** At most `side` pixels long. For display only: what is drawn on a canvas is not read back. */
function smaller(picture: Picture | ImageBitmap, side: number): Promise<ImageBitmap> {
  const { width, height } = picture;
  const scale = Math.min(1, side / Math.max(width, height));
  return createImageBitmap(picture instanceof ImageBitmap ? picture : new ImageData(picture.rgba, width, height), {
    resizeWidth: Math.max(1, Math.round(width * scale)),
    resizeHeight: Math.max(1, Math.round(height * scale)),
    resizeQuality: 'high',
  });
}

/** Whether it is to be looked at, for the first time or again. */
export const isWaiting = ({ state }: Photo): boolean =>
  state.kind === 'waiting' || (state.kind === 'done' && state.again?.kind === 'waiting');

const isFull = ({ state }: Photo): boolean =>
  state.kind === 'done' && state.shown !== null && !(state.shown.preview instanceof ImageBitmap);

const sideOf = ({ state }: Photo): number =>
  state.kind === 'done' && state.shown ? Math.max(state.shown.preview.width, state.shown.preview.height) : 0;

/** What can be gone back to once a photo was looked at again. A result of another modality answers something else. */
function earlierOf({ state }: Photo, seen: Look): readonly Earlier[] {
  if (state.kind !== 'done' || state.seen.modality !== seen.modality) return [];
  const { result, at, shown } = state;
  const last = { result: withoutImages(result), at, seen: state.seen, overlay: shown?.overlay ?? null };
  return [last, ...state.earlier].slice(0, KEPT_EARLIER);
}

/**
 * Keeps a name; resolves an address against the document's base. Anything else is passed on for the classifier to
 * refuse.
 */
function modelOf(text: string | ModelFiles): string | URL | ModelFiles | undefined {
  if (typeof text !== 'string') return text;
  if (text === '') return undefined;
  return isModelName(text) || !URL.canParse(text, document.baseURI) ? text : new URL(text, document.baseURI);
}

export interface SessionOptions {
  /** A model's name, its address relative to the document, or its files. Empty: the default. */
  model: string | ModelFiles;
  /** The file of a head in place of the network's last layer. */
  head: Blob | null;
  /** Photos of the previous session. */
  from: Released;
  backend: BackendChoice;
  /** Address relative to the document. Empty: where Dermlet was served from. */
  assetBase: string;
  onReady: (model: ModelInfo) => void;
  /** `undone`: an earlier result that was gone back to; nothing was run for it. */
  onResult: (photo: Photo, result: Result, undone: boolean) => void;
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

  /** What was removed last; it can be put back. */
  removed: Removed | null = null;

  /** Whether photos that wait are left waiting, except one that a person asks for. */
  paused = false;
  /** Whether a photo's answer is not to be shown yet: a second reader gives hers first. */
  hides: (id: number) => boolean = () => false;

  readonly #options: SessionOptions;
  #classifier: Classifier | null = null;
  #loading: AbortController | null = null;
  #running: { id: number; controller: AbortController } | null = null;
  /** Until the rest is fetched. */
  #idle: ReturnType<typeof setTimeout> | undefined;
  #nextId = 1;
  /** The photo that was asked for last, which is looked at even while the others are left waiting. */
  #asked: number | null = null;
  /** While suspended: whether the model was wanted. */
  #suspended: { wanted: boolean } | null = null;
  /** Photos whose pictures are being made smaller. */
  readonly #shrinking = new Set<number>();
  /** Ids of the photos that a person has looked at, the latest last. */
  readonly #lookedAt = new Set<number>();

  constructor(options: SessionOptions) {
    super();
    requestLog(); // knows of no request that it does not see
    this.#options = options;
    this.photos = options.from.photos.map((photo) => ({
      ...photo,
      modality: null,
      crop: null,
      closer: null,
      accepted: false,
      spots: [],
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
    if (this.#suspended) this.#suspended.wanted = true;
    else if (this.load.kind === 'idle') void this.#load();
  }

  /** Whether the model is wanted: it was asked for, or a photo waits for it. */
  get wanted(): boolean {
    return this.#suspended?.wanted ?? this.load.kind !== 'idle';
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
        closer: null,
        accepted: false,
        spots: [],
        state: { kind: 'waiting' },
        chosenAt,
        said: null,
        reading: null,
      }),
    );
    this.photos = [...added, ...this.photos];
    this.selectedId = this.#asked = added[0]?.id ?? null;
    this.#changed();
    if (this.load.kind === 'failed') this.retry();
    else this.start();
    void this.#runNext();
  }

  /** Also makes the photo's modality that of new photos, because one control shows both. */
  select(id: number): void {
    const photo = this.#photo(id);
    if (!photo) return;
    this.selectedId = id;
    this.modality = photo.modality;
    this.#lookedAt.delete(id);
    this.#lookedAt.add(id);
    this.#changed();
    void this.#enlarge(photo);
  }

  /** Classifies a photo again, after an error as it was to be classified then. */
  rerun(id: number): void {
    const state = this.#photo(id)?.state;
    this.#look(id, state?.kind === 'done' && state.again?.kind === 'failed' ? state.again.wanted : {});
  }

  /** Changes the crop of a photo and classifies it again: a plain look at this photo alone. */
  setCrop(id: number, crop: Crop | null): void {
    this.#look(id, { crop, closer: null });
  }

  /** Classifies a photo again, more thoroughly or together with another one; null: a plain look at it alone. */
  lookCloser(id: number, closer: Closer | null): void {
    this.#look(id, { closer });
  }

  /** What the person says of a photo: it stays with the photo, however that is looked at again. */
  setSaid(id: number, said: Said | null): void {
    this.#update(id, { said });
  }

  setReading(id: number, reading: Reading): void {
    this.#update(id, { reading });
  }

  /**
   * What the quality gate says of pixels, in the modality of new photos; null without a network, and while it looks at
   * a photo: that goes first.
   */
  async check(pixels: ImageData): Promise<Quality | null> {
    if (!this.#classifier || this.#running) return null;
    return this.#classifier.check(pixels, this.modality ? { modality: this.modality } : {});
  }

  /** As `Classifier.inspect`; null without a network. */
  async inspect(test: boolean): Promise<Inspection | null> {
    return (await this.#classifier?.inspect({ test })) ?? null;
  }

  /** Address relative to the document; empty: where Dermlet was served from. */
  get assetBase(): string {
    return this.#options.assetBase;
  }

  /** For tools that ask it what is no photo's answer; null without a network. */
  get classifier(): Classifier | null {
    return this.#classifier;
  }

  /** Goes back to the result from before the last crop, and ends a look that is under way. */
  undo(id: number): void {
    this.#cancelRun(id);
    const photo = this.#photo(id);
    if (photo?.state.kind !== 'done') return;
    const [last, ...earlier] = photo.state.earlier;
    if (!last) return;
    const { result, at, seen, overlay } = last;
    const shown = photo.state.shown && { ...photo.state.shown, overlay };
    this.#update(id, { ...seen, state: { kind: 'done', result, at, seen, shown, again: null, earlier } });
    this.#options.onResult({ ...photo, ...seen }, result, true);
    void this.#runNext();
  }

  /** Applies to new photos and to the selected one, which is classified again. Null: recognised from the picture. */
  setModality(modality: string | null): void {
    this.modality = modality;
    const photo = this.selected;
    if (photo && photo.modality !== modality) this.#look(photo.id, { modality, closer: null });
    else this.#changed();
  }

  /** The same for some photos; those that were looked at otherwise wait to be classified again. */
  setModalityOf(ids: ReadonlySet<number>, modality: string | null): void {
    const changed = this.photos.filter((photo) => ids.has(photo.id) && photo.modality !== modality);
    for (const { id } of changed) {
      this.#cancelRun(id);
      this.#update(id, { modality, closer: null });
      this.#set(id, { kind: 'waiting' });
    }
    if (this.selected) this.modality = this.selected.modality;
    this.#changed();
    void this.#runNext();
  }

  /** Leaves all that wait waiting, and the one under way too: `goOn` begins with it. */
  pause(): void {
    this.paused = true;
    this.#asked = null;
    const running = this.#running;
    if (running) {
      this.#cancelRun(running.id);
      this.#set(running.id, { kind: 'waiting' });
    }
    this.#changed();
  }

  goOn(): void {
    this.paused = false;
    this.#changed();
    void this.#runNext();
  }

  /** Ends the look at a photo; a result that it already has stays. */
  cancel(id: number): void {
    this.#cancelRun(id);
    this.#back(id, null, { kind: 'cancelled' });
    void this.#runNext();
  }

  /** Takes photos away, with their answers, until `restore`, `forget` or the next removal. */
  remove(ids: ReadonlySet<number>): void {
    this.forget();
    for (const id of ids) {
      if (this.#running?.id !== id) continue;
      this.#cancelRun(id);
      this.#set(id, { kind: 'waiting' });
    }
    const { photos: before, selectedId } = this;
    const removed = before.filter(({ id }) => ids.has(id));
    if (removed.length === 0) return;
    this.removed = { photos: removed, before: before.map(({ id }) => id), selectedId };
    this.photos = before.filter(({ id }) => !ids.has(id));
    const at = before.findIndex(({ id }) => id === selectedId);
    const near = [...before.slice(at), ...before.slice(0, at).reverse()].find(({ id }) => !ids.has(id));
    if (selectedId === null || !ids.has(selectedId)) this.#changed();
    else if (near) this.select(near.id);
    else {
      this.selectedId = null;
      this.#changed();
    }
    void this.#runNext();
  }

  /** Puts back what was removed last, where it was; photos that came since stay in front. */
  restore(): void {
    const { removed } = this;
    if (!removed) return;
    this.removed = null;
    const all = new Map([...this.photos, ...removed.photos].map((photo) => [photo.id, photo]));
    const since = this.photos.filter(({ id }) => !removed.before.includes(id));
    this.photos = [...since, ...removed.before.flatMap((id) => all.get(id) ?? [])];
    if (removed.photos.some(({ id }) => id === removed.selectedId)) this.select(removed.selectedId!);
    else this.#changed();
    void this.#runNext();
  }

  /** Nothing that was removed can be put back from now on. */
  forget(): void {
    for (const { url } of this.removed?.photos ?? []) URL.revokeObjectURL(url);
    this.removed = null;
    this.#changed();
  }

  /** Ends the worker, the downloads and the photos' addresses; photos and results stay, but those removed. */
  suspend(): void {
    if (this.#suspended) return;
    this.forget();
    this.#suspended = { wanted: this.wanted };
    this.#end();
    this.#loading = null;
    this.load = { kind: 'idle' };
    for (const { url } of this.photos) URL.revokeObjectURL(url);
  }

  /** Goes on where `suspend` stopped; does nothing otherwise. */
  resume(): void {
    if (!this.#suspended) return;
    const { wanted } = this;
    this.#wake();
    this.#changed();
    if (wanted) this.start();
  }

  /** Ends the session and returns its photos; the caller then owns their `blob:` addresses. */
  release(): Released {
    this.forget();
    this.#end();
    this.#wake();
    const photos = this.photos.map(({ id, name, file, url, chosenAt, said, reading }) => ({
      id,
      name,
      file,
      url,
      chosenAt,
      said,
      reading,
    }));
    this.photos = [];
    return { photos, selectedId: this.selectedId };
  }

  #wake(): void {
    if (!this.#suspended) return;
    this.#suspended = null;
    this.photos = this.photos.map((photo) => {
      URL.revokeObjectURL(photo.url); // of those that came in between
      return { ...photo, url: URL.createObjectURL(photo.file) };
    });
  }

  #end(): void {
    this.#loading?.abort();
    clearTimeout(this.#idle);
    const running = this.#running;
    if (running) {
      this.#cancelRun(running.id);
      this.#set(running.id, { kind: 'waiting' });
    }
    void this.#classifier?.dispose();
    this.#classifier = null;
  }

  #open(options: LoadOptions): Promise<Classifier> {
    const { model, backend, assetBase } = this.#options;
    return Classifier.load(modelOf(model), {
      backend,
      ...(assetBase ? { assetBase: new URL(assetBase, document.baseURI) } : {}),
      ...options,
    });
  }

  /** Another classifier of the same model, without a head; whoever asks for it disposes of it. @throws DermletError */
  another(signal: AbortSignal): Promise<Classifier> {
    return this.#open({ signal });
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
      const { head } = this.#options;
      if (head) await headRoom(); // its words must be there before an answer is shown
      const classifier = await this.#open({
        ...(head ? { head } : {}),
        signal: controller.signal,
        onProgress: (progress) => report(progress, false),
      });
      if (!current() || controller.signal.aborted) return void classifier.dispose();
      this.#classifier = classifier;
      this.load = { kind: 'ready', model: classifier.model, failedUpdate: classifier.failedUpdate, kept: false };
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
    const waiting = this.photos.filter((photo) => isWaiting(photo) && (!this.paused || photo.id === this.#asked));
    const photo =
      waiting.find((other) => other.id === this.selectedId) ??
      waiting.reduce<Photo | null>((a, b) => (!a || b.id < a.id ? b : a), null);
    if (!photo) return this.#fetchAhead(this.#classifier);
    clearTimeout(this.#idle);
    const controller = new AbortController();
    const run = { id: photo.id, controller };
    this.#running = run;
    try {
      const result = await this.#classify(this.#classifier, photo, controller.signal);
      if (controller.signal.aborted) return;
      const { preview, overlay = null } = result.images ?? {};
      const shown = preview ? { preview, overlay } : null;
      const seen = lookOf(photo);
      const earlier = earlierOf(this.#photo(photo.id) ?? photo, seen);
      this.#update(photo.id, {
        state: { kind: 'done', result, at: Date.now(), seen, shown, again: null, earlier },
        // A frame that was chosen is looked at alone: what was found before is still there.
        ...(photo.crop === null ? { spots: result.frame.spots } : {}),
      });
      this.#shrinkOldPictures();
      this.#options.onResult(photo, result, false);
    } catch (error) {
      if (controller.signal.aborted) return;
      const failure = asDermletError(error);
      this.#back(
        photo.id,
        { kind: 'failed', error: failure, wanted: lookOf(photo) },
        { kind: 'failed', error: failure },
      );
      this.#options.onError(photo, failure);
    } finally {
      if (this.#running === run) this.#running = null;
      void this.#runNext();
    }
  }

  /** Nothing waits: what only some photos need is fetched too, so that choosing one of those causes no request. */
  #fetchAhead(classifier: Classifier): void {
    clearTimeout(this.#idle);
    this.#idle = setTimeout(async () => {
      if (this.load.kind !== 'ready' || this.load.kept) return;
      const kept = await classifier.keepAll();
      if (this.#classifier !== classifier || this.load.kind !== 'ready') return;
      this.load = { ...this.load, kept };
      this.#changed();
      if (kept) this.#watchKept(classifier);
    }, AHEAD_AFTER);
  }

  /** Browsers do not say when storage is cleared: what is kept is looked for every now and then. */
  #watchKept(classifier: Classifier): void {
    const look = async () => {
      const kept = document.hidden || (await classifier.isKept());
      if (this.#classifier !== classifier || this.load.kind !== 'ready') return;
      if (kept) return void setTimeout(look, LOOK_AFTER);
      this.load = { ...this.load, kept };
      this.#changed();
    };
    setTimeout(look, LOOK_AFTER);
  }

  #classify(classifier: Classifier, photo: Photo, signal: AbortSignal): Promise<Result> {
    this.#set(photo.id, { kind: 'running', stage: 'starting' });
    const { file, closer } = photo;
    // Each is usable by itself, so the first one is the result's primary picture: its own is shown with the answer.
    const [input, options] = closer?.other
      ? [[photo, closer.other].map((one) => ({ picture: one.file, ...optionsOf(one) })), {}]
      : [file, optionsOf(photo)];
    return classifier.classify(input, {
      signal,
      ...options,
      testTimeAugmentation: closer?.thorough ?? false,
      explain: true,
      images: true,
      onStage: (stage) => {
        if (signal.aborted || stage === 'done') return;
        if (READ.includes(stage)) this.#update(photo.id, { accepted: true });
        this.#set(photo.id, { kind: 'running', stage });
      },
    });
  }

  #cancelRun(id: number): void {
    if (this.#running?.id !== id) return;
    this.#running.controller.abort();
    this.#running = null;
  }

  /** Those that were looked at lately keep the larger pictures: a person may go through hundreds. */
  #shrinkOldPictures(): void {
    const byId = new Map(this.photos.map((photo) => [photo.id, photo]));
    const lately = [...this.#lookedAt].reverse().flatMap((id) => byId.get(id) ?? []);
    const ordered = [...new Set([...(this.selected ? [this.selected] : []), ...lately, ...this.photos])];
    const large = ordered.filter((photo) => isFull(photo) || sideOf(photo) > THUMBNAIL.preview);
    const full = new Set(large.filter(isFull).slice(0, KEPT_PICTURES));
    for (const [index, photo] of large.entries()) {
      const sides = index < KEPT_SMALL ? SMALL : THUMBNAIL;
      if (!full.has(photo) && (isFull(photo) || sideOf(photo) > sides.preview)) void this.#shrink(photo, sides);
    }
  }

  async #shrink({ id, state }: Photo, sides: typeof SMALL): Promise<void> {
    if (state.kind !== 'done' || !state.shown || this.#shrinking.has(id)) return;
    this.#shrinking.add(id);
    try {
      const { preview, overlay } = state.shown;
      const shown = {
        preview: await smaller(preview, sides.preview),
        overlay: overlay && (await smaller(overlay, sides.overlay)),
      };
      const now = this.#photo(id)?.state;
      if (now?.kind !== 'done' || now.result !== state.result) return;
      const earlier = now.earlier.map((one) => ({ ...one, overlay: null }));
      this.#update(id, { state: { ...now, result: withoutImages(now.result), shown, earlier } });
    } catch {
      // No memory for a smaller one: the large one stays.
    } finally {
      this.#shrinking.delete(id);
    }
  }

  /** A photo of which only a thumbnail was left gets a larger picture again, from its file. */
  async #enlarge(photo: Photo): Promise<void> {
    const { id, state, file } = photo;
    if (state.kind !== 'done' || !state.shown || sideOf(photo) > THUMBNAIL.preview) return;
    const { width, height } = state.result.source;
    const scale = SMALL.preview / Math.max(width, height);
    if (scale >= 1) return;
    try {
      const preview = await createImageBitmap(file, {
        resizeWidth: Math.max(1, Math.round(width * scale)),
        resizeHeight: Math.max(1, Math.round(height * scale)),
        resizeQuality: 'high',
      });
      const now = this.#photo(id)?.state;
      if (now?.kind !== 'done' || now.result !== state.result || !now.shown) return;
      this.#update(id, { state: { ...now, shown: { ...now.shown, preview } } });
      this.#shrinkOldPictures();
    } catch {
      // A format that this browser does not read: the thumbnail stays.
    }
  }

  #photo(id: number): Photo | undefined {
    return this.photos.find((photo) => photo.id === id);
  }

  #look(id: number, change: Partial<Look>): void {
    this.#asked = id;
    this.#cancelRun(id);
    this.#update(id, change);
    this.#set(id, { kind: 'waiting' });
    void this.#runNext();
  }

  /** Where a photo stands in being looked at, for the first time or again. */
  #set(id: number, running: Running): void {
    const state = this.#photo(id)?.state;
    this.#update(id, { state: state?.kind === 'done' ? { ...state, again: running } : running });
  }

  /** After a look without a result: back to the result that the photo has, and to how it was looked at then. */
  #back(id: number, again: Again | null, otherwise: PhotoState): void {
    const state = this.#photo(id)?.state;
    if (state?.kind !== 'done') return this.#update(id, { state: otherwise });
    if (id === this.selectedId) this.modality = state.seen.modality;
    this.#update(id, { ...state.seen, state: { ...state, again } });
  }

  #update(
    id: number,
    change: Partial<Pick<Photo, keyof Look | 'accepted' | 'spots' | 'state' | 'said' | 'reading'>>,
  ): void {
    this.photos = this.photos.map((photo) => (photo.id === id ? { ...photo, ...change } : photo));
    this.#changed();
  }

  #changed(): void {
    this.dispatchEvent(new Event('change'));
  }
}
