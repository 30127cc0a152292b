/**
 * `--shard i/n`: the part of the work that one of n processes does, on whatever machines. Each file's place decides, by
 * a hash: where the archive is mounted makes no difference, and files that come later move no others.
 */
import { createHash } from 'node:crypto';
import { say } from './say.js';
import { UsageError } from './usage.js';

export interface Shard {
  /** 1 to `count`. */
  index: number;
  count: number;
}

/** More than any scheduler starts at once. */
const MOST = 100_000;

/** Of whole numbers: whether there is such a part. */
export const isPart = ({ index, count }: Shard): boolean => index >= 1 && index <= count && count <= MOST;

/** @throws UsageError */
export function parseShard(text: string): Shard {
  const [, index = 0, count = 0] = (/^(\d{1,6})\/(\d{1,6})$/.exec(text) ?? []).map(Number);
  if (!isPart({ index, count })) throw new UsageError(say('cli.error.shard', { text }));
  return { index, count };
}

/** Whether what has this key is done by this process; by each exactly one of them does it. */
export function isIn({ index, count }: Shard, key: string | Buffer): boolean {
  return createHash('sha256').update(key).digest().readUIntBE(0, 6) % count === index - 1;
}
