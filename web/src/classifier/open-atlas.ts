/**
 * The page's side of an atlas, which the worker keeps open. The file stays here: a worker may be ended and restarted.
 */
import type { AtlasManifest } from './documents.js';
import { DermletError } from './errors.js';
import type { Result } from './result.js';
import { requireBase, type SimilarCase, type UsualSimilarity } from './similar.js';

/** What a worker is asked of an atlas; plain data but for the file, which is read there. */
export interface AtlasQuestion {
  /** Of the atlas, in this page. */
  key: number;
  file: Blob;
  /** Null: only what it is. */
  look: { result: Pick<Result, 'model' | 'embedding'>; count: number } | null;
}

/** What it answers. */
export interface AtlasAnswer {
  manifest: AtlasManifest;
  usual: UsualSimilarity | null;
  cases: SimilarCase[];
}

interface Worker {
  ask(question: AtlasQuestion, signal: AbortSignal | undefined): Promise<AtlasAnswer>;
  forget(key: number): void;
}

let lastKey = 0;

/** A portal's archive of labelled cases, opened by `Classifier.openAtlas`. */
export class OpenAtlas {
  #closed = false;

  private constructor(
    readonly manifest: Readonly<AtlasManifest>,
    /** How alike its cases are to their nearest other one; null where there are too few. */
    readonly usual: Readonly<UsualSimilarity> | null,
    readonly ask: (look: AtlasQuestion['look'], signal: AbortSignal | undefined) => Promise<AtlasAnswer>,
    readonly forget: () => void,
  ) {}

  /** @internal */
  static async open(
    given: Blob | ArrayBuffer | Uint8Array<ArrayBuffer>,
    model: { sha256: string },
    signal: AbortSignal | undefined,
    { ask, forget }: Worker,
  ): Promise<OpenAtlas> {
    const file = given instanceof Blob ? given : new Blob([given]);
    const key = ++lastKey;
    try {
      const { manifest, usual } = await ask({ key, file, look: null }, signal);
      requireBase(manifest, model);
      return new OpenAtlas(
        manifest,
        usual,
        (look, stop) => ask({ key, file, look }, stop),
        () => forget(key),
      );
    } catch (error) {
      forget(key);
      throw error;
    }
  }

  /**
   * The cases most like a result that was made with `embedding: true`, the most similar first.
   * @param count 1 to 100
   * @throws DermletError INVALID_ARGUMENT (no embedding, another model's result, a count), UNREADABLE_FILE (the file
   * was moved or changed, and had to be read again), ABORTED, BACKEND_FAILED, DISPOSED
   */
  async nearest(result: Result, count = 10, { signal }: { signal?: AbortSignal } = {}): Promise<SimilarCase[]> {
    if (this.#closed) throw new DermletError('DISPOSED', 'The atlas was closed.');
    const { model, embedding } = result;
    const look = { result: { model, ...(embedding ? { embedding } : {}) }, count };
    return (await this.ask(look, signal)).cases;
  }

  /** Frees its memory. May be called twice. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.forget();
  }
}
