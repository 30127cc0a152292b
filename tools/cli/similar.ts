/** Similar cases on the command line. */
import { readFile } from 'node:fs/promises';
import {
  type Atlas,
  DermletError,
  openAtlas,
  type Result,
  type SimilarCase,
} from '../../web/src/classifier/node/index.js';
import { number } from '../../web/src/messages/index.js';
import { plain } from './plain.js';
import { say } from './say.js';
import { wrap } from './terminal.js';
import { reasonOf, UsageError } from './usage.js';

/** How many stand under an answer. */
const SHOWN = 5;

/** @throws UsageError, DermletError MODEL_CORRUPT, MODEL_TOO_NEW */
export async function atlasOf(path: string): Promise<Atlas> {
  try {
    return await openAtlas(new Uint8Array(await readFile(path)));
  } catch (error) {
    if (error instanceof DermletError) throw error;
    throw new UsageError(say('cli.error.atlas', { path, reason: reasonOf(error) }));
  }
}

export const similarTo = (atlas: Atlas, result: Result): SimilarCase[] => atlas.nearest(result, SHOWN);

export function similarLine(atlas: Atlas, result: Result, columns: number): string {
  const cases = similarTo(atlas, result).map(
    ({ label, similarity, sha256 }) => `${plain(label)} ${number(similarity, 2)} (${sha256.slice(0, 12)})`,
  );
  return wrap(say('cli.similar', { title: plain(atlas.manifest.title), cases: cases.join(', ') }), columns, '  ');
}
