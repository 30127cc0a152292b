/** `--shard` and `merge`: four processes give what one gives. */
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isIn, parseShard, type Shard } from '../../tools/cli/shard.js';
import { picturePath, root, runCli as run } from './support.js';

const MODEL = `${root}tests/imported/keras-2`;
const N = 4;
const shards = Array.from({ length: N }, (_, i) => `${i + 1}/${N}`);

let folder: string;
const at = (...parts: string[]) => join(folder, ...parts);
const NAMES = ['spot.jpg', 'spot.png', 'orientation-1.jpg', 'orientation-3.jpg', 'orientation-6.jpg', 'flat.png'];
const LABELS = ['alpha', 'beta', 'gamma', 'delta'];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'dermlet-shard-'));
  mkdirSync(at('images', 'drawn', 'deep'), { recursive: true });
  const rows = ['set,image,label,group'];
  for (let i = 0; i < 24; i++) {
    const name = NAMES[i % NAMES.length]!;
    const image = `${i < 12 ? '' : 'deep/'}${i}-${name}`;
    copyFileSync(picturePath(name), at('images', 'drawn', image));
    rows.push(`drawn,${image},${LABELS[i % 4]},group-${i >> 1}`);
  }
  copyFileSync(picturePath('cut-off.jpg'), at('images', 'drawn', 'cut-off.jpg'));
  writeFileSync(at('images', 'drawn', 'notes.txt'), 'no picture');
  rows.push('drawn,cut-off.jpg,beta,group-x', 'drawn,missing.jpg,beta,group-y', 'drawn,0-spot.jpg,alpha,group-0');
  writeFileSync(at('labels.csv'), rows.join('\n'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('the split', () => {
  test.each(['', '0/4', '5/4', '1/0', '1', '-1/4', '1/4/2', '1.5/4', 'a/b', '1/1000000'])('%j is wrong use', (text) =>
    expect(() => parseShard(text)).toThrow(/--shard must be i\/n/),
  );

  test('every key is in exactly one part, the parts are about equal, and stay what they are', () => {
    const all = Array.from({ length: 12 }, (_, i): Shard => ({ index: i + 1, count: 12 }));
    const sizes = all.map(() => 0);
    for (let key = 0; key < 12_000; key++) {
      const own = all.filter((shard) => isIn(shard, `folder/${key}.jpg`));
      expect(own).toHaveLength(1);
      sizes[own[0]!.index - 1]!++;
    }
    for (const size of sizes) expect(Math.abs(size - 1000)).toBeLessThan(150);
    // An interface: an archive that is half done must go on as it began.
    expect(['a.jpg', 'b.jpg', 'c.jpg', 'd.jpg'].map((key) => all.findIndex((shard) => isIn(shard, key)) + 1)).toEqual([
      8, 9, 5, 5,
    ]);
  });
});

/** Milliseconds: nine processes with an engine each, beside whatever else runs. */
const LONG = 240_000;

describe('classify', () => {
  type Line = { run: string; file: string; error?: { code: string }; ranking?: { probability: number }[] };
  const lines = (path: string) =>
    readFileSync(path, 'utf8')
      .trim()
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Line);
  /** What does not depend on when and by whom it was classified. */
  const comparable = (all: Line[]) =>
    all
      .map(({ run, file, error, ranking }) => ({ run, file, error: error?.code, ranking }))
      .sort((a, b) => (a.file < b.file ? -1 : 1));
  const classify = (...args: string[]) => run('classify', at('images'), '--ndjson', '--model', MODEL, ...args);

  test('four processes, one of them interrupted and gone on with, merged, give what one run gives', {
    timeout: LONG,
  }, async () => {
    const parts = shards.map((_, i) => at(`part-${i + 1}.ndjson`));
    const [whole, ...ran] = await Promise.all([
      classify('--output', at('whole.ndjson')),
      ...shards.map((shard, i) => classify('--shard', shard, '--output', parts[i]!)),
    ]);
    expect(whole!.code).toBe(1); // cut-off.jpg
    expect(ran.filter(({ code }) => code === 1)).toHaveLength(1);
    expect(ran.every(({ code, err }) => code === 0 || /cut-off\.jpg: CORRUPT_IMAGE/.test(err))).toBe(true);
    const counts = parts.map((part) => lines(part).length);
    expect(counts.reduce((sum, count) => sum + count)).toBe(lines(at('whole.ndjson')).length);

    // A process that was ended in the middle of a line.
    const most = counts.indexOf(Math.max(...counts));
    const text = readFileSync(parts[most]!, 'utf8');
    writeFileSync(parts[most]!, text.slice(0, -200));
    const early = await run('merge', ...parts, '--output', at('early.ndjson'));
    expect([early.code, lines(at('early.ndjson')).length]).toEqual([0, lines(at('whole.ndjson')).length - 1]);
    expect(early.err).toMatch(/its last line is cut off/);
    const again = await classify('--shard', shards[most]!, '--output', parts[most]!, '--resume');
    expect(again.err).toMatch(/^(.*\n)?1 classified|1 failed/m);

    const merged = await run('merge', ...parts, '--output', at('merged.ndjson'));
    expect(merged).toMatchObject({
      code: 0,
      err: expect.stringMatching(/^26 files put together, 2 with an error, 0 re/),
    });
    expect(comparable(lines(at('merged.ndjson')))).toEqual(comparable(lines(at('whole.ndjson'))));

    // What all of them did, one run has nothing left to do of.
    const rest = await classify('--output', at('merged.ndjson'), '--resume');
    expect(rest.err).toMatch(/0 classified.*26 /);
    // Each file once, and a result in the place of an error.
    const [first] = lines(parts[0]!);
    writeFileSync(
      at('failed.ndjson'),
      `${JSON.stringify({ run: first!.run, file: first!.file, error: { code: 'X' } })}\n`,
    );
    const twice = await run('merge', at('failed.ndjson'), ...parts, parts[0]!, '--output', at('twice.ndjson'));
    expect(twice.code).toBe(0);
    expect(comparable(lines(at('twice.ndjson')))).toEqual(comparable(lines(at('whole.ndjson'))));
  });

  test('where the archive lies makes no difference', async () => {
    const file = at('images', 'drawn', '1-spot.png');
    const own = async (...args: string[]) => {
      const ran = await run('classify', ...args, '--ndjson', '--model', MODEL, '--shard', '1/2');
      expect(ran.code).toBe(0);
      return ran.out.includes('1-spot.png');
    };
    expect(await own(file)).toBe(await own(at('images', 'drawn'), '--timeout', '100'));
    expect(await own(file)).toBe(isIn({ index: 1, count: 2 }, '1-spot.png'));
  });

  test('lines of other options are refused, and so is what is no file of answers', async () => {
    writeFileSync(at('a.ndjson'), '{"run":"1","file":"a"}\n');
    writeFileSync(at('b.ndjson'), '{"run":"2","file":"b"}\n');
    writeFileSync(at('c.ndjson'), 'text\n');
    for (const [files, message] of [
      [['a.ndjson', 'b.ndjson'], /b\.ndjson cannot be gone on with: line 1 is of another model/],
      [['c.ndjson'], /c\.ndjson/],
      [['none.ndjson'], /none\.ndjson could not be read/],
    ] as const) {
      const { code, err } = await run('merge', ...files.map((name) => at(name)), '--output', at('refused.ndjson'));
      expect([code, err]).toEqual([2, expect.stringMatching(message)]);
    }
    expect((await run('merge', at('a.ndjson'), '--output', at('a.ndjson'))).code).toBe(2);
  });

  test.each([
    [['merge'], /merge needs the files/],
    [['merge', 'a'], /either --output/],
    [['merge', 'a', '--output', 'b', '--json', 'c'], /either --output/],
    [['merge', 'a', '--output', 'b', '--predictions', 'c'], /either --output/],
    [['classify', 'a', 'b', '--lesion', '--shard', '1/2'], /not for --lesion/],
    [['classify', 'a', '--shard', '3/2'], /--shard must be/],
  ])('%j is wrong use', async (args, message) => {
    const { code, err } = await run(...args);
    expect([code, err]).toEqual([2, expect.stringMatching(message)]);
  });
});

describe('evaluate', () => {
  const evaluate = (...args: string[]) =>
    run('evaluate', '--labels', at('labels.csv'), '--images', at('images'), '--model', MODEL, '--jobs', '1', ...args);
  const figures = (path: string) => {
    const { seconds, imagesPerSecond, ...same } = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
    expect([seconds, imagesPerSecond]).toEqual([expect.any(Number), expect.any(Number)]);
    return same;
  };

  test('four processes, merged in any order, give the figures, predictions and report of one', {
    timeout: LONG,
  }, async () => {
    const parts = shards.map((_, i) => at(`part-${i + 1}.json`));
    const options = ['--merge', 'gamma:alpha', '--part', 'some:drawn:beta:alpha', '--positive', 'alpha'];
    const [whole, ...ran] = await Promise.all([
      evaluate('--json', at('whole.json'), '--predictions', at('whole.csv'), ...options),
      ...shards.map((shard, i) => evaluate('--json', parts[i]!, '--shard', shard, ...options)),
    ]);
    expect([whole!.code, ...ran.map(({ code }) => code)]).toEqual([0, 0, 0, 0, 0]);
    for (const { out } of ran) expect(out).toBe('');
    const into = ['--json', at('merged.json'), '--predictions', at('merged.csv')];
    const merged = await run('merge', ...parts.toReversed(), ...into);
    expect(merged.code).toBe(0);
    expect(figures(at('merged.json'))).toEqual(figures(at('whole.json')));
    expect(figures(at('merged.json'))).toMatchObject({ counts: { evaluated: 24, unreadable: 2, repeated: 1 } });
    expect(readFileSync(at('merged.csv'), 'utf8')).toBe(readFileSync(at('whole.csv'), 'utf8'));
    const withoutRate = (text: string) => text.trimEnd().split('\n').slice(0, -1);
    expect(withoutRate(merged.out)).toEqual(withoutRate(whole!.out));

    for (const [files, message] of [
      [parts.slice(1), /Shards are missing: 1\/4/],
      [[...parts, parts[0]!], /is shard 1\/4, which was given already/],
      [[at('whole.json')], /is not what evaluate --shard writes/],
      [[at('labels.csv')], /could not be read/],
    ] as const) {
      const { code, err } = await run('merge', ...files, '--json', at('refused.json'));
      expect([code, err]).toEqual([2, expect.stringMatching(message)]);
    }
    const other = JSON.parse(readFileSync(parts[0]!, 'utf8')) as { setup: { options: { crop: string } } };
    other.setup.options.crop = 'whole';
    writeFileSync(at('other.json'), JSON.stringify(other));
    const mixed = await run('merge', ...parts.slice(1), at('other.json'), '--json', at('refused.json'));
    expect([mixed.code, mixed.err]).toEqual([2, expect.stringMatching(/is of another evaluation than/)]);
  });

  test('what only begins as a shard does is refused', async () => {
    const setup = { counts: { pictures: 0, pairs: 0 } };
    for (const [index, more] of [
      {},
      { shard: { index: 1, count: 1e9 }, setup, pictures: [], pairs: [] },
      { shard: { index: 1, count: 1 }, setup, pictures: {}, pairs: [] },
      { shard: { index: 1, count: 1 }, setup: {}, pictures: [], pairs: [] },
    ].entries()) {
      writeFileSync(at(`begun-${index}.json`), JSON.stringify({ dermletShard: 1, ...more }));
      const { code, err } = await run('merge', at(`begun-${index}.json`), '--json', at('refused.json'));
      expect([code, err]).toEqual([2, expect.stringMatching(/is not what evaluate --shard writes/)]);
    }
  });

  test('--predictions of a shard is wrong use', async () => {
    const { code, err } = await evaluate('--json', at('x.json'), '--predictions', at('x.csv'), '--shard', '1/4');
    expect([code, err]).toEqual([2, expect.stringMatching(/--predictions is for merge/)]);
  });
});
