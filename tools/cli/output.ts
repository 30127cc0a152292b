/** Writes that are whole or an error: to the terminal, a pipe, or a file that grows. */
import { closeSync, constants, fstatSync, openSync, writeSync } from 'node:fs';
import { say } from './say.js';
import { reasonOf, unwritable } from './usage.js';

/** What was to be printed or kept could not be written: a full disk, for example. */
export class OutputError extends Error {
  override readonly name = 'OutputError';
}

const codeOf = (error: unknown): unknown => (error as NodeJS.ErrnoException).code;
const PAUSE = new Int32Array(new SharedArrayBuffer(4));

/** The reader of a pipe went away (`| head`). */
export class ReaderGone extends Error {
  override readonly name = 'ReaderGone';
}

/**
 * Writes all of a text, however little each call takes. @throws OutputError, ReaderGone
 * @param name of what is written to, for the message
 */
export function writeAll(fd: number, text: string, name: string): void {
  const bytes = Buffer.from(text);
  for (let written = 0; written < bytes.length; ) {
    try {
      written += writeSync(fd, bytes, written);
    } catch (error) {
      if (codeOf(error) === 'EPIPE') throw new ReaderGone();
      if (codeOf(error) !== 'EAGAIN') throw new OutputError(say('cli.error.output', { name, reason: reasonOf(error) }));
      Atomics.wait(PAUSE, 0, 0, 5); // a pipe whose reader is slow
    }
  }
}

/** Where answers go. */
export interface Sink {
  write(text: string): void;
  close(): void;
}

/**
 * A file to write answers to, opened before any picture is read. One that is there is not overwritten, unless it is a
 * device or a pipe.
 * @param resume goes on at the end of a file that is there
 * @throws UsageError
 */
export function fileSink(path: string, resume: boolean): Sink {
  let fd: number;
  try {
    fd = openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND);
  } catch (error) {
    throw unwritable(path, error);
  }
  const info = fstatSync(fd);
  if (info.isFile() && info.size > 0 && !resume) {
    closeSync(fd);
    throw unwritable(path, say('cli.error.outputExists'));
  }
  return { write: (text) => writeAll(fd, text, path), close: () => closeSync(fd) };
}
