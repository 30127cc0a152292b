/** A thread in Node that ends without a word, as one that is killed for its memory does. */
import { Worker } from 'node:worker_threads';
import { afterEach, expect, test, vi } from 'vitest';
import { Classifier } from '../../web/src/classifier/node/index.js';
import { expectCode, picturePath } from './support.js';

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
