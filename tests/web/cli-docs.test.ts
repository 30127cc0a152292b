/** The commands of README and docs, and their samples for Node, run as they stand there, in one folder and in order. */
import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sample } from '../doc-samples.mjs';
import { CLI, picturePath, root, runSample } from './support.js';

/** Commands of the README that are no `dermlet`, or do not end: what else runs them. */
const ELSEWHERE = new Map([
  ['serve', 'serve-docs.test.ts'],
  ['build:single', 'the part `e2e` builds it'],
  ['bench', 'no part: takes minutes, and needs a machine that does nothing else'],
  ['bench:first', 'no part, likewise'],
  ['bench:memory', 'no part, likewise'],
  ['bench:page', 'no part, likewise'],
  ['screenshots', 'no part: what it makes is looked at'],
  ['fuzz', 'the part `fuzz`'],
  ['attack', 'this suite'],
]);

const SMALL = `${root}tests/imported/keras-2`;

let folder: string;
const at = (...names: string[]): string => join(folder, ...names);

/** A picture whose file is like no other: bytes after its end change its hash and nothing else. */
function put(picture: string, ...to: string[]): void {
  mkdirSync(at(...to.slice(0, -1)), { recursive: true });
  copyFileSync(picturePath(picture), at(...to));
  appendFileSync(at(...to), to.join('/'));
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'dermlet-docs-'));
  for (const name of ['photo.jpg', 'dermoscopic.jpg', 'close-up.jpg']) put('spot.jpg', name);
  put('spot.jpg', 'FOLDER', 'a.jpg');
  put('spot.png', 'FOLDER', 'b.png');
  // What `DIR` is called in the README's table of parts: two sets to evaluate, two categories to learn.
  const tables: Record<string, string[]> = { 'labels.csv': [], 'LABELS.csv': [] };
  for (const [set, label] of [
    ['ham10000', 'nv'],
    ['ham10000-256', 'scc'],
  ] as const)
    for (const [index, name] of ['spot.jpg', 'spot-422.jpg', 'spot-cmyk.jpg'].entries()) {
      put(name, 'DIR', set, `${index}.jpg`);
      tables['labels.csv']!.push(`${set},${index}.jpg,${label},val`);
      tables['LABELS.csv']!.push(`${set},${index}.jpg,${set},val`);
    }
  for (const [name, rows] of Object.entries(tables))
    writeFileSync(at(name), ['set,image,label,split', ...rows].join('\n'));
  for (const category of ['alpha', 'beta']) put('spot.jpg', 'labelled', category, 'a.jpg');
  // A folder by hand: file entries have a path alone, and there is no self-test.
  cpSync(SMALL, at('my-model'), { recursive: true });
  const { selfTest: _, ...manifest } = JSON.parse(readFileSync(at('my-model', 'manifest.json'), 'utf8'));
  writeFileSync(at('my-model', 'manifest.json'), JSON.stringify({ ...manifest, file: { path: manifest.file.path } }));
  for (const name of ['selftest.json', 'selftest.png']) rmSync(at('my-model', name));
  mkdirSync(at('bin'));
  const command = [process.execPath, ...CLI].map((part) => `'${part}'`).join(' ');
  writeFileSync(at('bin', 'dermlet'), `#!/bin/sh\nexec ${command} "$@" $MORE\n`, { mode: 0o755 });
});
afterAll(() => rmSync(folder, { recursive: true }));

const ran = new Set<string>();

/**
 * Runs one command, unless it has been run; what it writes may not be there before. With a small model where nothing of
 * the shipped one is named: what is answered is no matter here.
 */
function run(command: string): void {
  if (ran.has(command)) return;
  ran.add(command);
  if (!command.includes('--resume'))
    for (const [, path] of command.matchAll(/--(?:out|output|export) (\S+)/g))
      rmSync(at(path!), { recursive: true, force: true });
  const isOfShipped = /check-model|--model|--lesion|--part/.test(command);
  const { status, stdout, stderr } = spawnSync('sh', ['-ec', command], {
    cwd: folder,
    encoding: 'utf8',
    env: {
      ...process.env,
      PATH: `${at('bin')}:${process.env.PATH}`,
      MORE: isOfShipped ? '' : `--model ${SMALL}`,
      NO_COLOR: '1',
    },
  });
  expect(status, `${command}\n${stdout}${stderr}`).toBe(0);
}

/** A command without what may be left out, and with all of it: `[--crop auto|whole]` is then `--crop auto`. */
function variants(command: string): string[] {
  const least = command.replace(/ \[[^\]]*\]/g, '');
  const whole = command.replace(/\[([^\]|]*)[^\]]*\]/g, '$1').replace(/ NAME\b/g, ' skin-8');
  return [...new Set([least, whole])];
}

/** The commands of a sample, without comments, each as the package has it. */
const commandsIn = (text: string): string[] =>
  text
    .trim()
    .split('\n')
    .map((line) => line.replace(/\s+#.*/, '').replace(/^npm run ([\w-]+) --|^npx dermlet ([\w-]+)/, 'dermlet $1$2'));

describe('docs', () => {
  test.each([
    ['docs/quick-start.md', 'npx dermlet classify'],
    ['docs/own-model.md', 'check-model my-model --write'],
    ['docs/own-model.md', 'check-model my-model --images'],
    ['docs/retrain.md', 'evaluate --head own.head'],
    ['docs/retrain.md', '--export own-model'],
    ['docs/similar.md', 'dermlet atlas'],
  ])('%s: %s', { timeout: 300_000 }, (document, part) => {
    for (const command of commandsIn(sample(document, part))) for (const variant of variants(command)) run(variant);
  });

  test('the first program', { timeout: 120_000 }, () => {
    const said = runSample(sample('docs/quick-start.md', 'await classifier.classify'), folder);
    expect(said).toMatch(/^(low|moderate|high) \[ '\w+'.*\] [\d.e-]+\n$|^[\w-]+\n$/s);
  });

  test('a head in code', { timeout: 120_000 }, () => {
    const before = `
      const pictures = [0, 1, 2].flatMap((index) => ['ham10000', 'ham10000-256'].map((label) => ({
        file: \`DIR/\${label}/\${index}.jpg\`, label, person: \`\${index}\` })));
      const onProgress = () => undefined;
      const { signal } = new AbortController();`;
    const after = `
      const { ranking, tier } = await own.classify('photo.jpg');
      console.log(tier, ranking.map(({ id }) => id).sort().join());
      await Promise.all([classifier.dispose(), own.dispose()]);`;
    const said = runSample(before + sample('docs/retrain.md', 'trainHead(') + after, folder);
    expect(said).toBe('unknown ham10000,ham10000-256\n');
  });

  test('the example in the declarations', { timeout: 120_000 }, () => {
    const code = sample('web/src/classifier/node/classifier.ts', "classify('photo.jpg')");
    const before = "import { Classifier } from 'dermlet/node';\n";
    const after = 'console.log(result.model.name, result.ranking.length);';
    expect(runSample(before + code + after, folder)).toBe('skin-8 8\n');
  });

  test('an atlas in code', { timeout: 120_000 }, () => {
    const before = `
      import { readFileSync } from 'node:fs';
      import { Classifier } from 'dermlet/node';
      const bytes = readFileSync('archive.atlas');
      const file = 'photo.jpg';
      const classifier = await Classifier.load('${SMALL}');`;
    const code = sample('docs/similar.md', 'openAtlas(bytes)').replace(
      'atlas.nearest(',
      'const found = atlas.nearest(',
    );
    const after = 'console.log(found.length, found[0].label);\nawait classifier.dispose();';
    expect(runSample(before + code + after, folder)).toMatch(/^6 ham10000/);
  });
});

describe('README', () => {
  const commands = commandsIn(sample('README.md', 'npm run classify'));
  const nameOf = (command: string) => /^(?:dermlet|npm run) ([\w:-]+)/.exec(command)?.[1] ?? '';

  test('what is not run here is still in it', () => {
    expect([...ELSEWHERE.keys()].filter((name) => !commands.some((command) => nameOf(command) === name))).toEqual([]);
  });

  test.each(commands.filter((command) => !ELSEWHERE.has(nameOf(command))))('%s', { timeout: 300_000 }, (command) => {
    for (const variant of variants(command)) run(variant);
  });
});
