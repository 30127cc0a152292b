/** A thread in Node that ends without a word, as one that is killed for its memory does. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterEach, expect, test, vi } from 'vitest';
import { Classifier } from '../../web/src/classifier/node/index.js';
import { expectCode, picturePath, runSample } from './support.js';

afterEach(() => void vi.restoreAllMocks());

test('while idle is replaced; in a call it fails that call, and the next has a new one', async () => {
  const threads = new Set<Worker>();
  const { postMessage } = Worker.prototype;
  vi.spyOn(Worker.prototype, 'postMessage').mockImplementation(function (this: Worker, ...message) {
    threads.add(this);
    postMessage.apply(this, message as Parameters<typeof postMessage>);
  });
  const classifier = await Classifier.load('skin-8');
  const kill = () => [...threads].at(-1)!.terminate();
  await kill();
  expect((await classifier.classify(picturePath('spot.jpg'))).ranking.length).toBeGreaterThan(1);
  expect(threads.size).toBe(2);
  const failing = classifier.classify(picturePath('spot.jpg'), { onStage: () => void kill() });
  await expectCode(failing, 'BACKEND_FAILED', /it ended/);
  expect((await classifier.classify(picturePath('spot.jpg'))).ranking.length).toBeGreaterThan(1);
  expect(threads.size).toBe(3);
  classifier.dispose();
});

test('a program that has its answers ends at once, though it never disposed of the classifier', () => {
  const folder = mkdtempSync(join(tmpdir(), 'dermlet-ends-'));
  try {
    const code = `
import { Classifier } from 'dermlet/node';
const classifier = await Classifier.load();
await classifier.classify(${JSON.stringify(picturePath('spot.jpg'))});
const done = performance.now();
process.on('exit', () => console.log(performance.now() - done));`;
    // An idle worker is ended after a minute.
    expect(Number(runSample(code, folder))).toBeLessThan(20_000);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
