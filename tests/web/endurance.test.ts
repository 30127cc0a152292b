/** 500 photos one after another with the real core and the real network: memory that is once enough stays enough. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, onTestFinished, test } from 'vitest';
import { defaultModel, loadEngine } from '../../web/src/classifier/node/engine.js';
import { picture } from './support.js';

/** Small ones of every kind: colours to convert, orientations, views, reductions, refusals. */
const PICTURES = [
  ...[
    'jpeg-420.jpg',
    'jpeg-444-progressive.jpg',
    'jpeg-orientation-6.jpg',
    'png-rgba-16.png',
    'png-palette-4.png',
    'bmp-24.bmp',
    'colour-adobe-rgb.png',
    'jpeg-ycck.jpg',
  ].map((name) => `kinds/${name}`),
  'cut-off.jpg',
  'corrupt.png',
];
const RUNS = 500;
const MIB = 1 << 20;

/** Calls of WebAssembly.Memory.grow from now on, by whoever makes them: the core's module and the network's runtime. */
function countGrowth(): () => number {
  const { grow } = WebAssembly.Memory.prototype;
  let calls = 0;
  WebAssembly.Memory.prototype.grow = function counted(delta) {
    calls += 1;
    return grow.call(this, delta);
  };
  onTestFinished(() => {
    WebAssembly.Memory.prototype.grow = grow;
  });
  return () => calls;
}

/**
 * What the process holds once garbage is collected. Buffers are given back by another thread, which a busy machine
 * delays: hence several rounds.
 */
async function heldNow(): Promise<NodeJS.MemoryUsage> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  for (let round = 0; round < 5; round += 1) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return process.memoryUsage();
}

test(`${RUNS} pictures in a row do not grow the memory`, { timeout: 400_000 }, async () => {
  const growth = countGrowth();
  const engine = await loadEngine(defaultModel);
  const files = PICTURES.map((name) => ({ name, bytes: picture(name) }));
  let refused = 0;
  const run = async (i: number): Promise<void> => {
    const { name, bytes } = files[i % files.length]!;
    const broken = /^(cut-off|corrupt)/.test(name);
    const outcome = await engine
      .classify(bytes, { explain: i % 3 === 0, images: i % 3 === 0, crop: i % 3 === 1 ? 'auto' : 'whole' })
      .catch((error: { code: string }) => error);
    if ('code' in outcome) {
      expect([broken, outcome.code]).toEqual([true, 'CORRUPT_IMAGE']);
      refused += 1;
    } else expect([broken, outcome.ranking.length]).toEqual([false, engine.manifest.classes.length]);
  };
  // Each picture in each way of asking.
  const warm = 3 * files.length;
  for (let i = 0; i < warm; i += 1) await run(i);
  expect(growth()).toBeGreaterThan(0); // the runtime's memory grew when the network was loaded: growth is seen
  const [grown, before] = [growth(), await heldNow()];
  for (let i = warm; i < warm + RUNS; i += 1) await run(i);
  const after = await heldNow();
  expect(refused).toBe(((warm + RUNS) / files.length) * 2);
  expect(growth()).toBe(grown);
  expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(MIB);
  expect(after.heapUsed - before.heapUsed).toBeLessThan(8 * MIB);
  expect(after.rss - before.rss).toBeLessThan(64 * MIB);
  await engine.dispose();
});
