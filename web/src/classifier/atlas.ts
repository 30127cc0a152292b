/**
 * Similar cases: the nearest pictures of a labelled archive by the network's embedding. The archive is one file without
 * pictures: its manifest (`models/atlas.schema.json`) as in `manifest-file.ts`, then for N cases of D features, little
 * endian: N floats, what each vector is multiplied by; N uint16, their labels, filled up to a multiple of 4; N * 32
 * bytes, the sha256 of each picture's file; N * D bytes, the vectors; nothing after them.
 */
import type { LearnModule } from '../../../wasm_src/bindings/learn.js';
import { messageOf } from './abort.js';
import { wanted } from './core.js';
import { type AtlasManifest, atlasManifest } from './documents.js';
import { DermletError } from './errors.js';
import { type LearnBinary, startLearn } from './learn.js';
import { brokenFile, type ManifestFile, readManifest, withManifest } from './manifest-file.js';
import { read, reject } from './reading.js';
import type { Result } from './result.js';

/** Bytes of a sha256. */
const HASH = 32;
/** As many as a uint16 tells apart. */
const MAX_LABELS = 2 ** 16;

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

/** What is kept of one picture. */
export interface AtlasCase {
  label: string;
  /** Of the picture's file, hexadecimal. */
  sha256: string;
}

/** A case of the atlas that is like a result. */
export interface SimilarCase extends AtlasCase {
  /** Cosine of the angle between the embeddings, -1..1; 1 is alike. Not a probability. */
  similarity: number;
}

interface Parts {
  manifest: AtlasManifest;
  scales: Float32Array<ArrayBuffer>;
  labels: Uint16Array<ArrayBuffer>;
  hashes: Uint8Array;
  vectors: Uint8Array;
}

const paddedTo4 = (length: number): number => (length + 3) & ~3;

/** @throws DermletError MODEL_CORRUPT, MODEL_TOO_NEW */
function partsOf(file: Uint8Array): Parts {
  const { manifest, end: atScales } = readManifest(file, ATLAS);
  const { cases, embeddingSize } = manifest;
  const atLabels = atScales + 4 * cases;
  const atHashes = atLabels + paddedTo4(2 * cases);
  const atVectors = atHashes + HASH * cases;
  if (file.length !== atVectors + cases * embeddingSize) throw brokenFile(ATLAS, 'its length is not that of its cases');
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const scales = Float32Array.from({ length: cases }, (_none, at) => view.getFloat32(atScales + 4 * at, true));
  const labels = Uint16Array.from({ length: cases }, (_none, at) => view.getUint16(atLabels + 2 * at, true));
  if (!scales.every((scale) => Number.isFinite(scale) && scale >= 0))
    throw brokenFile(ATLAS, 'a scale is no number from 0');
  if (labels.some((label) => label >= manifest.labels.length))
    throw brokenFile(ATLAS, 'a case has a label that is not listed');
  return {
    manifest,
    scales,
    labels,
    hashes: file.subarray(atHashes, atVectors),
    vectors: file.subarray(atVectors),
  };
}

const hex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

export class Atlas {
  private constructor(
    readonly manifest: AtlasManifest,
    readonly module: LearnModule,
    readonly parts: Pick<Parts, 'labels' | 'hashes'>,
  ) {}

  /** @throws DermletError MODEL_CORRUPT, MODEL_TOO_NEW, BACKEND_FAILED, INVALID_ARGUMENT (no memory for it) */
  static async open(file: Uint8Array, binary: LearnBinary): Promise<Atlas> {
    const { manifest, scales, labels, hashes, vectors } = partsOf(file);
    const module = await startLearn(binary, 'What looks up');
    wanted(module.openAtlas(vectors, scales));
    // Not a view into the file, which then need not be kept.
    return new Atlas(manifest, module, { labels, hashes: hashes.slice() });
  }

  /**
   * The cases most like a result that was made with `embedding: true`, the most similar first.
   * @throws DermletError INVALID_ARGUMENT (no embedding, another model's, a count that is not 1 to 100)
   */
  nearest({ model, embedding }: Pick<Result, 'model' | 'embedding'>, count = 10): SimilarCase[] {
    const { base, labels } = this.manifest;
    if (model.sha256 !== base.sha256)
      throw new DermletError(
        'INVALID_ARGUMENT',
        `The atlas was made by ${base.name} ${base.version}; its cases are like no other network's.`,
      );
    if (!embedding)
      throw new DermletError('INVALID_ARGUMENT', 'The result has no embedding: classify it with embedding: true.');
    const { indices, similarities } = wanted(this.module.nearest(Float32Array.from(embedding), count));
    return indices.map((index, place) => ({
      label: labels[this.parts.labels[index]!]!,
      sha256: hex(this.parts.hashes.subarray(index * HASH, (index + 1) * HASH)),
      similarity: similarities[place]!,
    }));
  }
}

/** Makes an atlas, a case at a time. */
export class AtlasWriter {
  readonly #cases: { values: Int8Array; scale: number; case: AtlasCase }[] = [];

  private constructor(readonly module: LearnModule) {}

  /** @throws DermletError BACKEND_FAILED, MODEL_UNAVAILABLE */
  static async start(binary: LearnBinary): Promise<AtlasWriter> {
    return new AtlasWriter(await startLearn(binary, 'What looks up'));
  }

  get size(): number {
    return this.#cases.length;
  }

  /** @throws DermletError INVALID_ARGUMENT */
  add(embedding: readonly number[], entry: AtlasCase): void {
    const { values, scale } = wanted(this.module.quantise(Float32Array.from(embedding)));
    if (this.#cases[0] && this.#cases[0].values.length !== values.length)
      throw new DermletError('INVALID_ARGUMENT', 'An embedding has another length than those before.');
    if (!/^[0-9a-f]{64}$/.test(entry.sha256))
      throw new DermletError('INVALID_ARGUMENT', 'A case needs the sha256 of its file.');
    this.#cases.push({ values, scale, case: entry });
  }

  /** Of the `count` truly nearest, the share that an atlas finds: the mean over some of the embeddings. */
  recall(embeddings: readonly (readonly number[])[], count: number, queries: number): number {
    const width = embeddings[0]?.length ?? 0;
    const all = new Float32Array(embeddings.length * width);
    embeddings.forEach((each, at) => void all.set(each, at * width));
    return wanted(this.module.recall(all, width, count, queries)).recall;
  }

  /** @throws DermletError INVALID_ARGUMENT where there is no case, or a title or label that cannot be read again */
  file(about: Pick<AtlasManifest, 'title' | 'base' | 'crop'>): Uint8Array<ArrayBuffer> {
    const cases = this.#cases.length;
    const size = this.#cases[0]?.values.length ?? 0;
    const labels = [...new Set(this.#cases.map((each) => each.case.label))].sort();
    const manifest = { atlasVersion: 1 as const, ...about, embeddingSize: size, labels, cases };
    try {
      read('The atlas', atlasManifest, manifest, { after: checkLabels });
    } catch (cause) {
      throw new DermletError('INVALID_ARGUMENT', messageOf(cause), { cause });
    }
    const { file, end: atScales } = withManifest(
      ATLAS,
      manifest,
      4 * cases + paddedTo4(2 * cases) + HASH * cases + cases * size,
    );
    const atLabels = atScales + 4 * cases;
    const atHashes = atLabels + paddedTo4(2 * cases);
    const atVectors = atHashes + HASH * cases;
    const view = new DataView(file.buffer);
    const places = new Map(labels.map((label, at) => [label, at]));
    this.#cases.forEach(({ values, scale, case: { label, sha256 } }, at) => {
      view.setFloat32(atScales + 4 * at, scale, true);
      view.setUint16(atLabels + 2 * at, places.get(label)!, true);
      for (let i = 0; i < HASH; i++)
        file[atHashes + HASH * at + i] = Number.parseInt(sha256.slice(2 * i, 2 * i + 2), 16);
      file.set(new Uint8Array(values.buffer), atVectors + at * size);
    });
    return file;
  }
}
