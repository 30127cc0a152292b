/** `merge FILE...`: puts together what the processes of `--shard` wrote. */
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import type { Output } from './classify.js';
import { concludeShards, requireFiles, type ShardFile } from './evaluate.js';
import { fileSink } from './output.js';
import { plainJson } from './plain.js';
import { keyOf, parseLine, readLines } from './resume.js';
import { say } from './say.js';
import { isPart } from './shard.js';
import { EXIT, reasonOf, UsageError } from './usage.js';

function parse(args: string[]) {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { output: { type: 'string' }, json: { type: 'string' }, predictions: { type: 'string' } },
  });
  const { output, json, predictions } = values;
  if (positionals.length === 0) throw new UsageError(say('cli.error.mergeFiles'));
  if ((output === undefined) === (json === undefined) || (predictions !== undefined && json === undefined))
    throw new UsageError(say('cli.error.mergeInto'));
  return { files: positionals, output, json, predictions };
}

/**
 * Lines of `classify --ndjson`, each file once: what was answered first stays, except that a result takes the place of
 * an error. Nothing but the names is held, so that an archive may have any size.
 */
async function mergeLines(files: readonly string[], path: string, { err }: Output): Promise<number> {
  /** Whether it has a result. */
  const answered = new Map<string, boolean>();
  let run: string | undefined;
  let repeated = 0;
  for (const file of files) {
    const { cutOff } = await readLines(file, (text, line) => {
      const own = parseLine(text, file, line);
      if (typeof own.run !== 'string' || (run !== undefined && own.run !== run))
        throw new UsageError(say('cli.error.resumeOther', { path: file, line: String(line) }));
      run = own.run;
      const key = keyOf(own);
      if (answered.has(key)) repeated++;
      answered.set(key, answered.get(key) === true || own.error === undefined);
    }).catch((error: unknown) => {
      if (error instanceof UsageError) throw error;
      throw new UsageError(say('cli.error.unreadable', { path: file, reason: reasonOf(error) }));
    });
    if (cutOff) err(`${say('cli.merge.cutOff', { path: file })}\n`);
  }
  const sink = fileSink(path, false);
  const written = new Set<string>();
  try {
    for (const file of files)
      await readLines(file, (text, line) => {
        const own = parseLine(text, file, line);
        const key = keyOf(own);
        if (written.has(key) || (own.error !== undefined && answered.get(key) === true)) return;
        written.add(key);
        sink.write(`${plainJson(own)}\n`);
      });
  } finally {
    sink.close();
  }
  const failed = [...answered.values()].filter((hasResult) => !hasResult).length;
  err(`${say('cli.merge.done', { count: written.size, failed: String(failed), repeated: String(repeated) })}\n`);
  return EXIT.fine;
}

async function readShard(path: string): Promise<ShardFile> {
  let file: Partial<ShardFile> | null;
  try {
    file = JSON.parse(await readFile(path, 'utf8')) as Partial<ShardFile> | null;
  } catch (error) {
    throw new UsageError(say('cli.error.unreadable', { path, reason: reasonOf(error) }));
  }
  if (!isShard(file)) throw new UsageError(say('cli.error.noShard', { path }));
  return file;
}

/** What putting together goes by; what a shard says of its pictures is our own. */
function isShard(file: Partial<ShardFile> | null): file is ShardFile {
  const { dermletShard, shard, setup, pictures, pairs } = file ?? {};
  const whole = [shard?.index, shard?.count, setup?.counts?.pictures, setup?.counts?.pairs].every(Number.isSafeInteger);
  return dermletShard === 1 && whole && isPart(shard!) && Array.isArray(pictures) && Array.isArray(pairs);
}

/** @throws UsageError unless they are all the parts of one evaluation, each once */
function requireWhole(shards: readonly ShardFile[], files: readonly string[]): void {
  const [first] = shards;
  const { count } = first!.shard;
  const setup = JSON.stringify(first!.setup);
  const seen = new Set<number>();
  shards.forEach(({ shard, setup: own }, i) => {
    if (shard.count !== count || JSON.stringify(own) !== setup)
      throw new UsageError(say('cli.error.otherShard', { path: files[i]!, first: files[0]! }));
    if (seen.has(shard.index))
      throw new UsageError(say('cli.error.shardTwice', { path: files[i]!, shard: `${shard.index}/${count}` }));
    seen.add(shard.index);
  });
  const missing = Array.from({ length: count }, (_, i) => i + 1).filter((index) => !seen.has(index));
  if (missing.length > 0)
    throw new UsageError(
      say('cli.error.shardMissing', { shards: missing.map((index) => `${index}/${count}`).join(', ') }),
    );
  const of = (kind: 'pictures' | 'pairs') => shards.reduce((sum, shard) => sum + shard[kind].length, 0);
  const { pictures, pairs } = first!.setup.counts;
  if (of('pictures') !== pictures || of('pairs') !== pairs)
    throw new UsageError(say('cli.error.otherShard', { path: files.at(-1)!, first: files[0]! }));
}

/** @throws UsageError, OutputError */
export async function merge(args: string[], output: Output): Promise<number> {
  const { files, output: lines, json, predictions } = parse(args);
  if (lines !== undefined) return mergeLines(files, lines, output);
  const shards = await Promise.all(files.map(readShard));
  requireWhole(shards, files);
  const into = { json: json!, predictions };
  await requireFiles(into);
  return concludeShards(shards, into, output);
}
