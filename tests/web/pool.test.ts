/** How many engines a command starts, whatever number it is asked for. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { archiveRequest, lookAtAll, readArchive } from '../../tools/cli/archive.js';
import { classify, type Output } from '../../tools/cli/classify.js';
import { evaluate } from '../../tools/cli/evaluate.js';
import { Classifier, DermletError } from '../../web/src/classifier/node/index.js';

const CORES = vi.hoisted(() => 3);
vi.mock('node:os', async (original) => ({
  ...(await original<typeof import('node:os')>()),
  availableParallelism: () => CORES,
}));

const PICTURES = 20;
let folder: string;
let engines: number;
let said: string;
const output: Output = {
  out: () => undefined,
  err: (text) => void (said += text),
  live: () => undefined,
  columns: 100,
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dermlet-pool-'));
  const rows = Array.from({ length: PICTURES }, (_, i) => `x,${i}.jpg,nv`);
  writeFileSync(join(folder, 'labels.csv'), `set,image,label\n${rows.join('\n')}\n`);
  mkdirSync(at('x'));
  mkdirSync(at('y'));
  for (let i = 0; i < PICTURES; i++) writeFileSync(at(`x/${i}.jpg`), `picture ${i}`);
  engines = 0;
  said = '';
  // Each takes its time, so that others are asked for meanwhile.
  const slow = {
    classify: async () => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      throw new DermletError('CORRUPT_IMAGE', 'a stand-in reads nothing');
    },
    dispose: () => undefined,
  } as unknown as Classifier;
  vi.spyOn(Classifier, 'load').mockImplementation(async () => {
    engines++;
    return slow;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

const at = (name: string): string => join(folder, name);
const files = (): string[] => Array.from({ length: PICTURES }, (_, i) => at(`x/${i}.jpg`));
const labelled = (): string[] => ['--labels', at('labels.csv'), '--images', folder, '--json', at('x.json')];

async function lookAt(jobs: string): Promise<void> {
  const request = archiveRequest({ images: folder, model: 'skin-8', crop: 'whole', jobs, timeout: '60' }, '');
  await lookAtAll(request, (await readArchive(folder)).pictures, output, () => undefined);
}

describe('--jobs is held to the cores', () => {
  test.each<[string, (jobs: string) => Promise<unknown>]>([
    ['classify', (jobs) => classify([...files(), '--ndjson', '--jobs', jobs], output)],
    ['evaluate', (jobs) => evaluate([...labelled(), '--jobs', jobs], output)],
    ['what learns of an archive', lookAt],
  ])('%s: no more are started, and the person is told', async (_name, run) => {
    await run('500');
    expect(engines).toBe(CORES);
    expect(said).toContain('--jobs 500: this machine has fewer cores, so at most 3 engines work at once.\n');
    [engines, said] = [0, ''];
    await run('3');
    expect(engines).toBe(CORES);
    expect(said).not.toContain('--jobs');
    engines = 0;
    await run('2');
    expect(engines).toBe(2);
  });

  test('evaluate writes how many worked, not how many were asked for', async () => {
    await evaluate([...labelled(), '--jobs', '500'], output);
    expect(JSON.parse(readFileSync(at('x.json'), 'utf8'))).toMatchObject({ options: { jobs: CORES } });
  });
});
