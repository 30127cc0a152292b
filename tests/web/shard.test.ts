/** `--shard`, `merge` and `evaluate --resume`: several processes, ended early or not, give what one gives. */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isIn, parseShard, type Shard } from '../../tools/cli/shard.js';
import { modelFolder, picturePath, root, runCli as run, startCli as start, withCombination } from './support.js';

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

describe('evaluate --resume', () => {
  let model: string;
  const answersOf = (json: string) => `${json}.answers`;
  const linesOf = (path: string) => readFileSync(path, 'utf8').split('\n').slice(0, -1);
  /** Byte for byte, but for how long it took. */
  const comparable = (path: string) => readFileSync(path, 'utf8').replace(/"(seconds|imagesPerSecond)": ?[\d.]+/g, '');
  const common = (labels = 'pairs.csv') => [
    ...['evaluate', '--labels', at(labels), '--images', at('images'), '--model', model, '--jobs', '1', '--pairs'],
    '--test-time-augmentation',
  ];

  beforeAll(() => {
    const input = { width: 32, height: 32, mean: [128, 128, 128], std: [64, 64, 64] };
    model = modelFolder((shipped) => withCombination({ ...shipped, input: { ...shipped.input, ...input } }), 'any');
    const kinds = ['nv', 'mel', 'bcc', 'other'];
    const rows = Array.from({ length: 24 }, (_, i) => {
      const image = `${i < 12 ? '' : 'deep/'}${i}-${NAMES[i % NAMES.length]!}`;
      return `drawn,${image},${kinds[(i >> 1) % 4]},group-${i >> 1},${i % 2 ? 'photo' : 'dermoscopy'}`;
    });
    rows.unshift('set,image,label,group,modality', 'drawn,cut-off.jpg,nv,group-0,');
    writeFileSync(at('pairs.csv'), rows.join('\n'));
    writeFileSync(at('relabelled.csv'), rows.join('\n').replace(/,mel,/, ',bcc,'));
  });
  afterAll(() => rmSync(model, { recursive: true }));

  /** Ends a run once it has some more answers, in the middle of a line. @returns how many whole ones are left */
  async function interrupt(args: string[], json: string): Promise<number> {
    const path = answersOf(json);
    const lines = () => (existsSync(path) ? linesOf(path).length : 0);
    const enough = lines() + 4;
    const { child, ran } = start(args);
    while (child.exitCode === null && lines() < enough) await new Promise((resolve) => setTimeout(resolve, 5));
    child.kill('SIGKILL');
    const { code, err } = await ran;
    expect(code, err).toBe(null);
    expect(existsSync(json)).toBe(false);
    truncateSync(path, readFileSync(path).length - 7);
    return linesOf(path).length - 1;
  }

  test('a run that was ended gives the figures, predictions and report of one that was not', {
    timeout: LONG,
  }, async () => {
    const into = (name: string) => ['--json', at(`${name}.json`), '--predictions', at(`${name}.csv`)];
    const one = await run(...common(), ...into('one'));
    expect(one.code).toBe(0);
    const total = 25 + 9; // pictures, and the pairs of those that have a class
    expect(one.err).toContain(`${total}/${total} pictures`);
    expect(existsSync(answersOf(at('one.json')))).toBe(false);
    const json = at('two.json');
    const first = await interrupt([...common(), ...into('two')], json);
    // A second time: what was cut off is not in the midst of what comes after it.
    const left = await interrupt([...common(), ...into('two'), '--resume'], json);
    expect(left).toBeGreaterThan(first);
    const kept = readFileSync(answersOf(json));

    const again = await run(...common(), ...into('two'));
    expect([again.code, again.err]).toEqual([2, expect.stringMatching(/two\.json\.answers holds.*interrupted/)]);
    for (const [args, option] of [
      [[...common(), '--model', MODEL].filter((each) => each !== '--pairs'), '--model'],
      [[...common(), '--shard', '1/2'], '--shard'],
      [[...common(), '--modality', 'photo'], '--modality'],
      [common('relabelled.csv'), '--labels'],
      [[...common(), '--crop', 'whole'], '--crop'],
      [common().slice(0, -1), '--test-time-augmentation'],
      [common().filter((each) => each !== '--pairs'), '--pairs'],
      [[...common(), '--merge', 'scc:akiec'], '--merge'],
      [[...common(), '--part', 'some:drawn'], '--part'],
      [[...common(), '--positive', 'nv'], '--positive'],
      [[...common(), '--malignant', 'mel'], '--malignant'],
    ] as [string[], string][]) {
      const other = await run(...args, '--json', json, '--resume');
      expect([other.code, other.err]).toEqual([
        1,
        expect.stringMatching(new RegExp(`^INVALID_ARGUMENT: .* begun with another ${option}\\.`, 'm')),
      ]);
    }
    expect(readFileSync(answersOf(json)).equals(kept)).toBe(true);
    writeFileSync(answersOf(json), [...linesOf(answersOf(json)), '{"at":1}', ''].join('\n'));
    const damaged = await run(...common(), ...into('two'), '--resume');
    expect([damaged.code, damaged.err]).toEqual([
      1,
      expect.stringMatching(`^INVALID_ARGUMENT: .* line ${left + 2} is not what evaluate writes there`),
    ]);
    writeFileSync(answersOf(json), kept);
    const { seconds: before } = JSON.parse(linesOf(answersOf(json)).at(-1)!) as { seconds: number };

    const resumed = await run(...common(), ...into('two'), '--resume');
    expect(resumed.code).toBe(0);
    expect(resumed.err).toMatch(new RegExp(`^going on with ${left} answers of before$`, 'm'));
    expect(resumed.err).toContain(`${total - left}/${total - left} pictures`);
    expect(comparable(json)).toBe(comparable(at('one.json')));
    const figures = JSON.parse(readFileSync(json, 'utf8')) as { seconds: number };
    expect(figures).toMatchObject({ counts: { unreadable: 1 }, pairs: { lesions: 9 } });
    expect(figures.seconds).toBeGreaterThan(before);
    expect(readFileSync(at('two.csv'), 'utf8')).toBe(readFileSync(at('one.csv'), 'utf8'));
    const withoutRate = (text: string) => text.trimEnd().split('\n').slice(0, -1);
    expect(withoutRate(resumed.out)).toEqual(withoutRate(one.out));
    expect(existsSync(answersOf(json))).toBe(false);
  });

  test('shards that were ended are merged as others, and finished ones have nothing left to do', {
    timeout: LONG,
  }, async () => {
    const whole = ['1/2', '2/2'].map((_, i) => at(`whole-${i}.json`));
    const parts = ['1/2', '2/2'].map((_, i) => at(`ended-${i}.json`));
    const of = (i: number, json: string) => [...common(), '--shard', `${i + 1}/2`, '--json', json];
    for (const [i, json] of parts.entries()) {
      expect((await run(...of(i, whole[i]!))).code).toBe(0);
      const left = await interrupt(of(i, json), json);
      const resumed = await run(...of(i, json), '--resume');
      expect([resumed.code, resumed.err]).toEqual([0, expect.stringMatching(`going on with ${left} answers`)]);
      expect(comparable(json)).toBe(comparable(whole[i]!));
      expect(existsSync(answersOf(json))).toBe(false);
    }
    for (const [files, json] of [
      [whole, at('of-whole.json')],
      [parts, at('of-ended.json')],
    ] as const)
      expect((await run('merge', ...files, '--json', json)).code).toBe(0);
    expect(comparable(at('of-ended.json'))).toBe(comparable(at('of-whole.json')));

    const before = readFileSync(parts[0]!, 'utf8');
    const finished = await run(...of(0, parts[0]!), '--resume');
    expect(finished).toMatchObject({ code: 0, err: expect.stringMatching(/ended-0\.json is finished already/) });
    const other = await run(...of(1, parts[0]!), '--resume');
    expect([other.code, other.err]).toEqual([1, expect.stringMatching(/^INVALID_ARGUMENT: .*another --shard/)]);
    expect(readFileSync(parts[0]!, 'utf8')).toBe(before);
    expect(existsSync(answersOf(parts[0]!))).toBe(false);

    // A table that was changed between two shards.
    const relabelled = await run(...common('relabelled.csv'), '--shard', '2/2', '--json', at('relabelled.json'));
    expect(relabelled.code).toBe(0);
    const mixed = await run('merge', parts[0]!, at('relabelled.json'), '--json', at('refused.json'));
    expect([mixed.code, mixed.err]).toEqual([2, expect.stringMatching(/is of another evaluation than/)]);
  });

  test('what are no answers is left as it is, and a pipe has none', async () => {
    const json = at('foreign.json');
    for (const [text, line] of [
      ['my notes\n', 1],
      ['{"dermletAnswers":1}\n', 1],
      ['{"run":"1","file":"a.jpg"}\n', 1],
    ] as const) {
      writeFileSync(answersOf(json), text);
      const { code, err } = await run(...common(), '--json', json, '--resume');
      expect([code, err]).toEqual([
        1,
        expect.stringMatching(`^INVALID_ARGUMENT: .*foreign\\.json\\.answers cannot be gone on with: line ${line} is`),
      ]);
      expect(readFileSync(answersOf(json), 'utf8')).toBe(text);
    }
    const special = await run(...common(), '--json', '/dev/null', '--resume');
    expect([special.code, special.err]).toEqual([2, expect.stringMatching(/--resume needs a file/)]);
  });
});
