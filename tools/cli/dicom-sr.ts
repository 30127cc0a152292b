/// <reference path="./dcmjs.d.ts" />

/** `classify --dicom-sr FOLDER`: each result as a DICOM structured report, a file a picture. */
import { createHash } from 'node:crypto';
import {
  accessSync,
  closeSync,
  constants,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { DermletError, type Result } from '../../web/src/classifier/node/index.js';
import { type DicomDataset, type DicomSource, toDicomSr } from '../../web/src/handler/index.js';
import { dicomSourceOf } from './dicom-source.js';
import { OutputError } from './output.js';
import { say } from './say.js';
import { reasonOf, unwritable } from './usage.js';

const EXPLICIT_LITTLE_ENDIAN = '1.2.840.10008.1.2.1';
/** Of this writer: a random UUID, made once. */
const IMPLEMENTATION = '2.25.60253691370617263832502867097447929369';

/** What a report says of a picture's file, kept in place of its bytes. */
export interface Origin {
  sha256: string;
  source?: DicomSource | undefined;
  /** Why there is no report. */
  problem?: DermletError;
}

function originOf(bytes: Uint8Array): Origin {
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  try {
    return { sha256, source: dicomSourceOf(bytes) };
  } catch (error) {
    if (!(error instanceof DermletError)) throw error;
    return { sha256, problem: error };
  }
}

export interface Reports {
  originOf(bytes: Uint8Array): Origin;
  /** Writes a report. @returns its path @throws OutputError, DermletError where the DICOM source allows none */
  write(result: Result, path: string, origin: Origin): string;
}

/**
 * A folder for reports, made if it is not there; each is named by its SOP Instance UID, so that none replaces another
 * and no name tells of a person.
 * @param names whether a report names its picture's file
 * @throws UsageError
 */
export async function reportsIn(folder: string, names: boolean): Promise<Reports> {
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw unwritable(folder, error);
  }
  const { data } = await import('dcmjs');
  /** The writer wants values of every attribute, and none of an empty one. */
  const whole = (dataset: DicomDataset): DicomDataset =>
    Object.fromEntries(
      Object.entries(dataset).map(([tag, { vr, Value = [] }]) => [
        tag,
        { vr, Value: vr === 'SQ' ? (Value as DicomDataset[]).map(whole) : Value },
      ]),
    );
  const bytesOf = (dataset: DicomDataset): Uint8Array => {
    const file = new data.DicomDict({
      '00020001': { vr: 'OB', Value: [Uint8Array.of(0, 1).buffer] },
      '00020002': dataset['00080016']!,
      '00020003': dataset['00080018']!,
      '00020010': { vr: 'UI', Value: [EXPLICIT_LITTLE_ENDIAN] },
      '00020012': { vr: 'UI', Value: [IMPLEMENTATION] },
      '00020013': { vr: 'SH', Value: ['DERMLET'] },
    });
    file.dict = whole(dataset);
    return new Uint8Array(file.write());
  };
  return {
    originOf,
    write(result, path, { sha256, source, problem }) {
      if (problem) throw problem;
      const fileName = names ? basename(path) : undefined;
      const dataset = toDicomSr(result, { at: new Date(), sha256, source, fileName });
      const to = join(folder, `${dataset['00080018']!.Value![0]}.dcm`);
      writeWhole(to, bytesOf(dataset));
      return to;
    },
  };
}

/** A file has its name once all of it is written. @throws OutputError */
function writeWhole(path: string, bytes: Uint8Array): void {
  const part = `${path}.part`;
  try {
    const fd = openSync(part, 'wx');
    try {
      writeFileSync(fd, bytes);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(part, path);
  } catch (error) {
    rmSync(part, { force: true });
    throw new OutputError(say('cli.error.unwritable', { path, reason: reasonOf(error) }));
  }
}
