/**
 * Similar cases: the nearest pictures of a labelled archive by the network's embedding. The archive is one file without
 * pictures: its manifest (`models/atlas.schema.json`) as in `manifest-file.ts`, then for N cases of D features, little
 * endian: N floats, what each vector is multiplied by; N uint16, their labels, filled up to a multiple of 4; N * 32
 * bytes, the sha256 of each picture's file; N * D bytes, the vectors; where the manifest says so, the files' names in
 * UTF-8, a line feed after each; nothing after them.
 */
import type { LearnModule } from '../../../wasm_src/bindings/learn.js';
import { messageOf } from './abort.js';
import { wanted } from './core.js';
import { type AtlasManifest, atlasManifest } from './documents.js';
import { DermletError } from './errors.js';
import { type LearnBinary, startLearn } from './learn.js';
import { brokenFile, HEADER, type ManifestFile, readManifest, withManifest } from './manifest-file.js';
import type { AtlasAnswer, AtlasQuestion } from './open-atlas.js';
import { read, reject } from './reading.js';
import type { Result } from './result.js';
import { type AtlasCase, requireBase, type SimilarCase, type UsualSimilarity } from './similar.js';

/** Bytes of a sha256. */
const HASH = 32;
/** As many as a uint16 tells apart. */
const MAX_LABELS = 2 ** 16;
/** Characters of a file's name, with the folders that it lies in. */
const LONGEST_NAME = 300;
/** Bytes of vectors that are read at a time: an atlas is in memory once, not twice. */
const AT_A_TIME = 4 << 20;
/** Cases that are looked up to learn how alike neighbours are, and how many there must be for that to say something. */
const SAMPLES = 50;
const FEWEST = 20;

const ATLAS: ManifestFile<AtlasManifest> = {
  what: "The atlas's file",
  name: 'an atlas',
  magic: 'DAT1',
  version: ['atlasVersion', 1],
  schema: atlasManifest,
  together: checkLabels,
  most: 1 << 20,
};

/** What the schema cannot say. */
function checkLabels({ labels }: AtlasManifest): void {
  if (labels.length > MAX_LABELS) reject('labels', 'are more than can be told apart');
}

/** Whether a text can stand on one line as a file's name, without marks that change the direction of text. */
const isName = (text: string): boolean =>
  text.length > 0 && text.length <= LONGEST_NAME && !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(text);

const paddedTo4 = (length: number): number => (length + 3) & ~3;

/** Where each part of a file begins. */
function placesOf({ cases, embeddingSize, names = 0 }: AtlasManifest, scales: number) {
  const labels = scales + 4 * cases;
  const hashes = labels + paddedTo4(2 * cases);
  const vectors = hashes + HASH * cases;
  const text = vectors + cases * embeddingSize;
  return { scales, labels, hashes, vectors, names: text, end: text + names };
}

/** The bytes of a file, of which no more is read than is asked for. */
interface Source {
  readonly length: number;
  /** A copy. */
  slice(from: number, to: number): Promise<Uint8Array<ArrayBuffer>>;
}

const sourceOf = (file: Uint8Array | Blob): Source =>
  file instanceof Blob
    ? { length: file.size, slice: (from, to) => readSlice(file.slice(from, to)) }
    : { length: file.length, slice: async (from, to) => new Uint8Array(file.subarray(from, to)) };

async function readSlice(part: Blob): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return new Uint8Array(await part.arrayBuffer());
  } catch (cause) {
    throw new DermletError('UNREADABLE_FILE', `The atlas's file could not be read: ${messageOf(cause)}`, { cause });
  }
}

/** Numbers of a case, beside its vector. */
interface Parts {
  labels: Uint16Array<ArrayBuffer>;
  hashes: Uint8Array;
  /** The names, and where each begins and the last ends; null: not told. */
  names: { text: Uint8Array; starts: Uint32Array } | null;
}

/** @throws DermletError MODEL_CORRUPT */
function namesOf(text: Uint8Array, cases: number): NonNullable<Parts['names']> {
  let all: string[];
  try {
    all = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(text).split('\n');
  } catch (cause) {
    throw brokenFile(ATLAS, 'its names are not text', cause);
  }
  if (all.pop() !== '' || all.length !== cases) throw brokenFile(ATLAS, 'its names are not as many as its cases');
  if (!all.every(isName)) throw brokenFile(ATLAS, 'a name is empty, too long, or no line of text');
  const starts = new Uint32Array(cases + 1);
  for (let at = 0, count = 0; at < text.length; at++) if (text[at] === 0x0a) starts[++count] = at + 1;
  return { text, starts };
}

const hex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

export class Atlas {
  #usual: UsualSimilarity | null | undefined;

  private constructor(
    readonly manifest: AtlasManifest,
    readonly module: LearnModule,
    readonly parts: Parts,
    /** Vectors of some cases. */
    readonly samples: readonly { index: number; vector: Float32Array }[],
  ) {}

  /**
   * @throws DermletError MODEL_CORRUPT, MODEL_TOO_NEW, UNREADABLE_FILE, BACKEND_FAILED (also: no memory for it)
   */
  static async open(file: Uint8Array | Blob, binary: LearnBinary): Promise<Atlas> {
    const source = sourceOf(file);
    const { manifest, end } = readManifest(await source.slice(0, HEADER + ATLAS.most), ATLAS);
    const { cases, embeddingSize: size } = manifest;
    const at = placesOf(manifest, end);
    if (source.length !== at.end) throw brokenFile(ATLAS, 'its length is not that of its cases');
    const before = await source.slice(at.scales, at.vectors);
    const view = new DataView(before.buffer);
    const scales = Float32Array.from({ length: cases }, (_none, index) => view.getFloat32(4 * index, true));
    const labels = Uint16Array.from({ length: cases }, (_none, index) => view.getUint16(4 * cases + 2 * index, true));
    if (!scales.every((scale) => Number.isFinite(scale) && scale >= 0))
      throw brokenFile(ATLAS, 'a scale is no number from 0');
    if (labels.some((label) => label >= manifest.labels.length))
      throw brokenFile(ATLAS, 'a case has a label that is not listed');
    const names = manifest.names === undefined ? null : namesOf(await source.slice(at.names, at.end), cases);
    const module = await startLearn(binary, 'What looks up');
    withRoom(() => module.openAtlas(cases * size, scales));
    const step = Math.max(1, cases / SAMPLES);
    const samples: { index: number; vector: Float32Array }[] = [];
    const rows = Math.max(1, Math.floor(AT_A_TIME / size));
    for (let row = 0; row < cases; row += rows) {
      const to = Math.min(cases, row + rows);
      const vectors = await source.slice(at.vectors + row * size, at.vectors + to * size);
      withRoom(() => module.fillAtlas(vectors));
      for (let index = Math.floor(samples.length * step); index < to; index = Math.floor(samples.length * step))
        samples.push({
          index,
          vector: Float32Array.from(new Int8Array(vectors.buffer, (index - row) * size, size)),
        });
    }
    return new Atlas(manifest, module, { labels, hashes: before.subarray(at.hashes - at.scales), names }, samples);
  }

  /**
   * The cases most like a result that was made with `embedding: true`, the most similar first.
   * @throws DermletError INVALID_ARGUMENT (no embedding, another model's, a count that is not 1 to 100)
   */
  nearest({ model, embedding }: Pick<Result, 'model' | 'embedding'>, count = 10): SimilarCase[] {
    requireBase(this.manifest, model);
    if (!embedding)
      throw new DermletError('INVALID_ARGUMENT', 'The result has no embedding: classify it with embedding: true.');
    const { indices, similarities } = wanted(this.module.nearest(Float32Array.from(embedding), count));
    return indices.map((index, place) => ({ ...this.#case(index), similarity: similarities[place]! }));
  }

  /** Measured on some of the cases; null where there are too few. */
  usual(): UsualSimilarity | null {
    if (this.#usual !== undefined) return this.#usual;
    const found = this.samples.map(({ index, vector }) => {
      const { indices, similarities } = wanted(this.module.nearest(vector, Math.min(2, this.manifest.cases)));
      return similarities[indices[0] === index ? 1 : 0] ?? 0;
    });
    found.sort((a, b) => a - b);
    const at = (share: number) => found[Math.floor(share * found.length)]!;
    this.#usual = this.manifest.cases < FEWEST ? null : { median: at(0.5), low: at(0.1) };
    return this.#usual;
  }

  #case(index: number): AtlasCase {
    const { labels, hashes, names } = this.parts;
    return {
      label: this.manifest.labels[labels[index]!]!,
      sha256: hex(hashes.subarray(index * HASH, (index + 1) * HASH)),
      ...(names && {
        name: new TextDecoder('utf-8', { ignoreBOM: true }).decode(
          names.text.subarray(names.starts[index]!, names.starts[index + 1]! - 1),
        ),
      }),
    };
  }
}

/**
 * Answers a question about one of the atlases that are open; it is opened if it is not among them.
 * @throws DermletError as Atlas.open and Atlas.nearest
 */
export async function lookUp(
  { key, file, look }: AtlasQuestion,
  open: Map<number, Promise<Atlas>>,
  binary: () => Promise<LearnBinary>,
): Promise<AtlasAnswer> {
  const opening = open.get(key) ?? binary().then((wasm) => Atlas.open(file, wasm));
  open.set(key, opening);
  opening.catch(() => open.delete(key)); // the next question tries again
  const atlas = await opening;
  return {
    manifest: atlas.manifest,
    usual: atlas.usual(),
    cases: look ? atlas.nearest(look.result, look.count) : [],
  };
}

/** What the core says of memory is about pictures. */
function withRoom(call: () => Parameters<typeof wanted>[0]): void {
  try {
    wanted(call());
  } catch (cause) {
    if (cause instanceof DermletError && cause.code !== 'IMAGE_TOO_LARGE') throw cause;
    throw new DermletError('BACKEND_FAILED', 'There is not enough memory for this atlas.', { cause });
  }
}

/** Makes an atlas, a case at a time. */
export class AtlasWriter {
  readonly #cases: { values: Int8Array; scale: number; case: AtlasCase; place: number }[] = [];

  private constructor(readonly module: LearnModule) {}

  /** @throws DermletError BACKEND_FAILED, MODEL_UNAVAILABLE */
  static async start(binary: LearnBinary): Promise<AtlasWriter> {
    return new AtlasWriter(await startLearn(binary, 'What looks up'));
  }

  get size(): number {
    return this.#cases.length;
  }

  /**
   * All cases have a name, or none has. No more of the embedding is kept than the file will have.
   * @param place among the others in the file; else in the order in which they come
   * @throws DermletError INVALID_ARGUMENT
   */
  add(embedding: ArrayLike<number>, entry: AtlasCase, place = this.size): void {
    const { values, scale } = wanted(this.module.quantise(Float32Array.from(embedding)));
    const first = this.#cases[0];
    if (first && first.values.length !== values.length)
      throw new DermletError('INVALID_ARGUMENT', 'An embedding has another length than those before.');
    if (!/^[0-9a-f]{64}$/.test(entry.sha256))
      throw new DermletError('INVALID_ARGUMENT', 'A case needs the sha256 of its file.');
    if (entry.name !== undefined && !isName(entry.name))
      throw new DermletError('INVALID_ARGUMENT', `A name is empty, too long, or no line of text: '${entry.name}'.`);
    if (first && (first.case.name === undefined) !== (entry.name === undefined))
      throw new DermletError('INVALID_ARGUMENT', 'All cases have a name, or none has.');
    this.#cases.push({ values, scale, case: entry, place });
  }

  /** Of the `count` truly nearest, the share that an atlas finds: the mean over some of the embeddings. */
  recall(embeddings: readonly ArrayLike<number>[], count: number, queries: number): number {
    const width = embeddings[0]?.length ?? 0;
    const all = new Float32Array(embeddings.length * width);
    embeddings.forEach((each, at) => void all.set(each, at * width));
    return wanted(this.module.recall(all, width, count, queries)).recall;
  }

  /** @throws DermletError INVALID_ARGUMENT where there is no case, or a title or label that cannot be read again */
  file(about: Pick<AtlasManifest, 'title' | 'base' | 'crop'>): Uint8Array<ArrayBuffer> {
    this.#cases.sort((a, b) => a.place - b.place);
    const cases = this.#cases.length;
    const size = this.#cases[0]?.values.length ?? 0;
    const labels = [...new Set(this.#cases.map((each) => each.case.label))].sort();
    const lines = this.#cases.flatMap(({ case: { name } }) => (name === undefined ? [] : [`${name}\n`]));
    const names = new TextEncoder().encode(lines.join(''));
    const manifest = {
      atlasVersion: 1 as const,
      ...about,
      embeddingSize: size,
      labels,
      cases,
      ...(names.length > 0 ? { names: names.length } : {}),
    };
    try {
      read('The atlas', atlasManifest, manifest, { after: checkLabels });
    } catch (cause) {
      throw new DermletError('INVALID_ARGUMENT', messageOf(cause), { cause });
    }
    const { file, end } = withManifest(ATLAS, manifest, placesOf(manifest, 0).end);
    const at = placesOf(manifest, end);
    const view = new DataView(file.buffer);
    const places = new Map(labels.map((label, place) => [label, place]));
    this.#cases.forEach(({ values, scale, case: { label, sha256 } }, index) => {
      view.setFloat32(at.scales + 4 * index, scale, true);
      view.setUint16(at.labels + 2 * index, places.get(label)!, true);
      for (let i = 0; i < HASH; i++)
        file[at.hashes + HASH * index + i] = Number.parseInt(sha256.slice(2 * i, 2 * i + 2), 16);
      file.set(new Uint8Array(values.buffer), at.vectors + index * size);
    });
    file.set(names, at.names);
    return file;
  }
}
