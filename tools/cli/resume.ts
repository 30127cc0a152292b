/** An interrupted file of answers, one a line: which files it has, and whether this run may go on with it. */
import { createHash } from 'node:crypto';
import { createReadStream, truncateSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { say } from './say.js';
import { reasonOf, UsageError } from './usage.js';

/** A short name for a model and all options that change an answer; each line of such a file holds it as `run`. */
export const runId = (settings: object): string =>
  createHash('sha256').update(JSON.stringify(settings)).digest('hex').slice(0, 16);

export interface Line {
  run?: unknown;
  file?: unknown;
  files?: unknown;
  error?: unknown;
}

/** What a line answers for. */
export const keyOf = ({ file, files }: Line): string => JSON.stringify(files ?? file);

const NEWLINE = 0x0a;

/** Reads the whole lines of a file, of any size. @returns where the last of them ends, and whether more follows it */
export async function readLines(
  path: string,
  onLine: (text: string, number: number) => void,
): Promise<{ end: number; cutOff: boolean }> {
  let rest: Buffer = Buffer.alloc(0);
  let end = 0;
  let count = 0;
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    rest = Buffer.concat([rest, chunk]);
    for (let at = rest.indexOf(NEWLINE); at >= 0; at = rest.indexOf(NEWLINE)) {
      onLine(rest.subarray(0, at).toString(), ++count);
      rest = rest.subarray(at + 1);
      end += at + 1;
    }
  }
  return { end, cutOff: rest.length > 0 };
}

/** @throws UsageError if it is no JSON object */
export function parseLine(text: string, path: string, line: number): Line {
  try {
    return Object(JSON.parse(text)) as Line;
  } catch (error) {
    throw new UsageError(say('cli.error.resumeLine', { path, line: String(line), reason: reasonOf(error) }));
  }
}

/**
 * The keys that a file of answers already has. A last line that was cut off is removed from the file; one that is not
 * there has none.
 * @throws UsageError if it is not a file of answers, or one of another model or other options
 */
export async function answeredIn(path: string, run: string): Promise<Set<string>> {
  const done = new Set<string>();
  const info = await stat(path).catch(() => undefined);
  if (!info?.isFile()) return done;
  const { end, cutOff } = await readLines(path, (text, line) => {
    const own = parseLine(text, path, line);
    if (own.run !== run) throw new UsageError(say('cli.error.resumeOther', { path, line: String(line) }));
    done.add(keyOf(own));
  });
  if (cutOff) truncateSync(path, end);
  return done;
}
