/** Every sample of docs/serve.md and of the handler is run, and answers what stands below it. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { sample, samplesIn } from '../doc-samples.mjs';
import { CLI, picturePath, root, runSample, startCli } from './support.js';

const blocks = samplesIn('docs/serve.md');
const MAIN = [process.execPath, ...CLI];

let folder: string;
let server: ReturnType<typeof startCli>;
let port = '';
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'dermlet-docs-'));
  copyFileSync(picturePath('spot.jpg'), join(folder, 'photo.jpg'));
  copyFileSync(picturePath('flat.png'), join(folder, 'blank.png'));
  writeFileSync(join(folder, 'notes.txt'), 'no picture');
  mkdirSync(join(folder, 'archive'));
  mkdirSync(join(folder, 'images', 'a'), { recursive: true });
  for (const name of ['spot.jpg', 'spot.png', 'orientation-3.jpg', 'orientation-6.jpg'])
    for (const to of ['archive', 'images/a']) copyFileSync(picturePath(name), join(folder, to, name));
  writeFileSync(
    join(folder, 'labels.csv'),
    'set,image,label\na,spot.jpg,alpha\na,spot.png,beta\na,orientation-3.jpg,beta\na,orientation-6.jpg,alpha',
  );
  // As the document starts it, but for the port: its own may be taken.
  const [start] = blocks.filter(({ language }) => language === 'console');
  const [npx, dermlet, ...words] = start!.text.trim().split(' ');
  expect([npx, dermlet, words[0]]).toEqual(['npx', 'dermlet', 'serve']);
  server = startCli([...words, '--port', '0']);
  await Promise.race([
    server.ran.then(({ err }) => Promise.reject(new Error(err))),
    vi.waitUntil(() => server.printed.err.includes('Ready'), { timeout: 140_000 }),
  ]);
  port = /:(\d+)\//.exec(server.printed.err)![1]!;
}, 150_000);
afterAll(() => {
  server?.child.kill();
  rmSync(folder, { recursive: true });
});

/** JSON with numbers to three decimals: the last digits are a processor's. */
const comparable = (text: string): unknown =>
  JSON.parse(text, (_key, value: unknown) => (typeof value === 'number' ? Math.round(value * 1e3) / 1e3 : value));

function shell(text: string): string {
  const { status, stdout, stderr } = spawnSync('sh', ['-ec', text.replaceAll(':8000/', `:${port}/`)], {
    cwd: folder,
    encoding: 'utf8',
    env: {
      ...process.env,
      PATH: `${join(folder, 'bin')}:${process.env.PATH}`,
      SLURM_ARRAY_TASK_ID: '2',
      SLURM_ARRAY_TASK_COUNT: '2',
      JOB_COMPLETION_INDEX: '0',
    },
  });
  expect(status, stderr).toBe(0);
  return stdout;
}

test('the samples are found', () => {
  expect(blocks.filter(({ language }) => language === 'sh').length).toBeGreaterThan(10);
  for (const { language, text } of blocks) expect(['js', 'sh', 'json', 'console'], text).toContain(language);
});

const commands = blocks.flatMap(({ language, text }, i) => {
  const below = blocks[i + 1];
  return language === 'sh' ? [{ text, answer: below?.language === 'json' ? below.text : undefined }] : [];
});

test.each(commands.filter(({ answer }) => answer !== undefined))('$text', ({ text, answer }) => {
  const got = comparable(shell(text)) as { available_classes?: string[] };
  if (got.available_classes) got.available_classes = [];
  expect(got).toEqual(comparable(answer!));
});

test('archives', { timeout: 300_000 }, () => {
  // `npx dermlet` of this checkout, with a small model: what it answers is no matter here.
  mkdirSync(join(folder, 'bin'));
  const npx = `#!/bin/sh
[ "$1" = dermlet ] && shift
[ "$1" != merge ] && set -- "$@" --model '${root}tests/imported/keras-2'
exec ${MAIN.map((part) => `'${part}'`).join(' ')} "$@"
`;
  writeFileSync(join(folder, 'bin', 'npx'), npx, { mode: 0o755 });
  for (const { text, answer } of commands) if (answer === undefined) shell(text);
  const lines = (name: string) => readFileSync(join(folder, name), 'utf8').trim().split('\n');
  expect(lines('all.ndjson')).toHaveLength(4);
  expect(JSON.parse(readFileSync(join(folder, 'figures.json'), 'utf8'))).toMatchObject({ counts: { evaluated: 4 } });
  expect(lines('predictions.csv')).toHaveLength(5);
  const slurm = readFileSync(join(folder, 'slurm-2.ndjson'), 'utf8');
  const job = readFileSync(join(folder, 'job-0.ndjson'), 'utf8');
  expect(`${slurm}${job}`.trim().split('\n')).toHaveLength(4);
});

test('the handler in a program', { timeout: 120_000 }, () => {
  const [handler] = blocks.filter(({ language }) => language === 'js');
  expect(runSample(handler!.text, folder)).toMatch(/^200 \S/);
});

test('the example in the declarations', { timeout: 120_000 }, () => {
  const before = `
    import { readFileSync } from 'node:fs';
    import { createFetchHandler } from 'dermlet/handler';
    import { Classifier } from 'dermlet/node';
    const photo = new Blob([readFileSync('photo.jpg')]);
`;
  const code = sample('web/src/handler/fetch-handler.ts', 'createFetchHandler(await');
  const after = 'console.log(response.status, (await response.json()).predicted_class);';
  expect(runSample(before + code + after, folder)).toMatch(/^200 \S/);
});
