/** Files of heads on the command line, and what is said of a head. */
import { createHash } from 'node:crypto';
import {
  DermletError,
  FileRefused,
  type Head,
  type HeadInfo,
  headInfo,
  MAX_HEAD_BYTES,
  type ModelInfo,
  readHead,
  readRegularFile,
} from '../../web/src/classifier/node/index.js';
import { number, plainPercent } from '../../web/src/messages/index.js';
import { plain } from './plain.js';
import { say, sayOfHeads } from './say.js';
import { wrap } from './terminal.js';
import { reasonOf, UsageError } from './usage.js';

export interface HeadFile {
  bytes: Uint8Array<ArrayBuffer>;
  head: Head;
  info: HeadInfo;
  /** Of the file, hexadecimal. */
  sha256: string;
}

/** @throws UsageError, DermletError MODEL_CORRUPT, MODEL_TOO_NEW */
export async function headOf(path: string): Promise<HeadFile> {
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = await readRegularFile(path, MAX_HEAD_BYTES);
  } catch (error) {
    const reason = error instanceof FileRefused ? say('cli.error.noHead') : reasonOf(error);
    throw new UsageError(say('cli.error.head', { path, reason }));
  }
  const head = readHead(bytes);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { bytes, head, info: headInfo(head.manifest), sha256 };
}

/** The model with the head's classes. @throws DermletError INVALID_ARGUMENT where it is of another network */
export function withHeadsClasses(model: ModelInfo, { manifest }: Head): ModelInfo {
  const { base, title, classes, heldOut } = manifest;
  if (base.sha256 !== model.sha256)
    throw new DermletError('INVALID_ARGUMENT', say('cli.error.otherModel', { name: base.name, version: base.version }));
  const { combines: _combines, ...rest } = model;
  return { ...rest, title, classes: classes.map((each) => ({ ...each })), coverage: heldOut.setCoverage };
}

/** What its scores are worth. */
export function headLines({ title, pictures, accuracy, interval, leaveOneOut, warnings }: HeadInfo, columns: number) {
  const values = {
    title: plain(title),
    pictures: number(pictures),
    accuracy: plainPercent(accuracy),
    least: plainPercent(interval[0]),
    most: plainPercent(interval[1]),
  };
  return [
    sayOfHeads(leaveOneOut ? 'head.said.alone' : 'head.said.folds', values),
    sayOfHeads('head.said.notCalibrated'),
    ...warnings.map((warning) => sayOfHeads(`head.said.${warning}`)),
  ]
    .map((line) => wrap(line, columns))
    .join('\n');
}
