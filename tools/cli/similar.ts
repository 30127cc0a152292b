/** Similar cases on the command line. */
import { createHash } from 'node:crypto';
import {
  type Atlas,
  DermletError,
  type ModelInfo,
  openAtlas,
  type Result,
  readRegularFile,
  type SimilarCase,
} from '../../web/src/classifier/node/index.js';
import { number } from '../../web/src/messages/index.js';
import { plain } from './plain.js';
import { say } from './say.js';
import { wrap } from './terminal.js';
import { reasonOf, UsageError } from './usage.js';

/** How many stand under an answer. */
const SHOWN = 5;

export interface AtlasFile {
  atlas: Atlas;
  /** Of the file, hexadecimal. */
  sha256: string;
}

/**
 * @param model whose results it will be asked by
 * @throws UsageError, DermletError MODEL_CORRUPT, MODEL_TOO_NEW, INVALID_ARGUMENT where it is of another network
 */
export async function atlasOf(path: string, model: ModelInfo): Promise<AtlasFile> {
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = await readRegularFile(path);
  } catch (error) {
    throw new UsageError(say('cli.error.atlas', { path, reason: reasonOf(error) }));
  }
  const atlas = await openAtlas(bytes);
  const { base } = atlas.manifest;
  if (base.sha256 !== model.sha256)
    throw new DermletError('INVALID_ARGUMENT', say('cli.error.otherAtlas', { name: base.name, version: base.version }));
  return { atlas, sha256: createHash('sha256').update(bytes).digest('hex') };
}

export const similarTo = (atlas: Atlas, result: Result): SimilarCase[] => atlas.nearest(result, SHOWN);

export function similarLine(atlas: Atlas, result: Result, columns: number): string {
  const cases = similarTo(atlas, result).map(
    ({ label, similarity, sha256, name }) =>
      `${plain(label)} ${number(similarity, 2)} (${name === undefined ? sha256.slice(0, 12) : plain(name)})`,
  );
  return wrap(say('cli.similar', { title: plain(atlas.manifest.title), cases: cases.join(', ') }), columns, '  ');
}
