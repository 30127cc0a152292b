/**
 * npm run bench -- --atlas: how long the search for similar cases takes in WebAssembly, in Node and in Chromium, and
 * how many of the ten nearest by exact search it finds. The aim is at most 20 ms for 100,000 cases of 1,280 features.
 *
 * Times are of vectors of random bytes: the search reads all of them whatever they hold. Recall is of embeddings as the
 * network makes them: those of the pictures in tests/pictures that it takes, and vectors drawn around them. Each of
 * these is one of those embeddings with every feature moved by a normal deviate times the feature's own spread over the
 * pictures, and not below zero, as pooled features are not. They are no photos of skin: the figure tells what 8 bits
 * cost, not how good the neighbours are.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { serve } from '../../tools/build/serve.mjs';
import { Classifier, DermletError, startAtlas } from '../../web/src/classifier/node/index.js';
import { startEngine } from '../browsers/engines.js';
import { median } from './report.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const CASES = 100_000;
const WIDTH = 1280;
const ROUNDS = 40;
const AIM = 20;
const COMPARED = { all: 5000, count: 10, queries: 200 };

type Learn = typeof import('../../wasm_src/bindings/learn.js');

/** Milliseconds of each search. Runs in Node and, as text, in a page: it refers to nothing outside. */
async function times(
  create: Learn['default'],
  wasmBinary: Uint8Array,
  [cases, width, rounds]: readonly [number, number, number],
  now: () => number,
): Promise<number[]> {
  const learn = await create({ wasmBinary, locateFile: (path: string) => path });
  learn.openAtlas(cases * width, new Float32Array(cases).fill(1 / 127));
  const vectors = new Uint8Array(1000 * width);
  for (let row = 0; row < cases; row += 1000) {
    for (let i = 0; i < vectors.length; i++) vectors[i] = Math.random() * 255;
    const filled = learn.fillAtlas(vectors);
    if (!filled.ok) throw new Error(filled.message);
  }
  const query = Float32Array.from({ length: width }, () => Math.random());
  const taken: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const began = now();
    const found = learn.nearest(query, 10);
    taken.push(now() - began);
    if (!found.ok || found.indices.length !== 10) throw new Error('the search found nothing');
  }
  return taken.slice(Math.floor(rounds / 4)); // the first ones warm up
}

const sizes = [CASES, WIDTH, ROUNDS] as const;

async function inNode(): Promise<number[]> {
  const { default: create } = (await import(pathToFileURL(join(root, 'build/wasm/learn.js')).href)) as Learn;
  return times(create, readFileSync(join(root, 'build/wasm/learn.wasm')), sizes, () => performance.now());
}

async function inChromium(): Promise<{ title: string; taken: number[] }> {
  const script = `
    import create from '../build/wasm/learn.js';
    const times = ${times.toString()};
    const __name = (value) => value; // what the TypeScript runner may put into functions
    window.driven = { run: async (sizes) => {
      const wasm = new Uint8Array(await (await fetch('../build/wasm/learn.wasm')).arrayBuffer());
      return times(create, wasm, sizes, () => performance.now());
    } };`;
  const page = `<!doctype html><meta charset="utf-8"><title>Search</title><script type="module">${script}</script>`;
  const served = await serve({
    root,
    port: 0,
    override: (path) => (path === 'search/index.html' ? { body: page, type: 'text/html; charset=utf-8' } : undefined),
  });
  const engine = await startEngine('chromium');
  try {
    await engine.open(`${served.url}search/index.html`);
    return { title: engine.title, taken: await engine.call<number[]>('run', sizes) };
  } finally {
    await engine.close();
    await served.close();
  }
}

/** Of the drawn pictures that the network takes. */
async function drawnEmbeddings(): Promise<{ model: string; embeddings: number[][] }> {
  const classifier = await Classifier.load('skin-8');
  const folder = join(root, 'tests', 'pictures');
  const embeddings: number[][] = [];
  for (const name of readdirSync(folder).filter((each) => /\.(jpg|png|bmp)$/.test(each))) {
    const result = await classifier.classify(join(folder, name), { embedding: true }).catch((error: unknown) => {
      if (error instanceof DermletError) return null; // broken on purpose
      throw error;
    });
    if (result?.embedding) embeddings.push(result.embedding);
  }
  classifier.dispose();
  return { model: `${classifier.model.name} ${classifier.model.version}`, embeddings };
}

/** The same vectors in every run. */
function normal(): () => number {
  let state = 1;
  const uniform = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
  return () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
}

function around(embeddings: readonly number[][], count: number): Float32Array[] {
  const width = embeddings[0]!.length;
  const spread = Array.from({ length: width }, (_none, d) => {
    const values = embeddings.map((each) => each[d]!);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
  });
  const deviate = normal();
  return Array.from({ length: count }, (_none, at) => {
    const centre = embeddings[at % embeddings.length]!;
    return Float32Array.from(centre, (value, d) => Math.max(0, value + spread[d]! * deviate()));
  });
}

const line = (where: string, taken: number[]): string =>
  `${where}: ${median(taken).toFixed(1)} ms (${Math.min(...taken).toFixed(1)} to ${Math.max(...taken).toFixed(1)}), ` +
  `${median(taken) <= AIM ? 'within' : 'over'} the aim of ${AIM} ms`;

/** @param tell where it says what it does */
export async function runAtlas(tell: (text: string) => void): Promise<void> {
  tell('Embedding the drawn pictures ...');
  const { model, embeddings } = await drawnEmbeddings();
  const all = [...embeddings, ...around(embeddings, COMPARED.all - embeddings.length)];
  const recall = (await startAtlas()).recall(all, COMPARED.count, COMPARED.queries);
  tell('Searching in Node ...');
  const node = await inNode();
  tell('Searching in Chromium ...');
  const { title, taken } = await inChromium();
  process.stdout.write(
    [
      `The ten nearest of ${CASES} cases of ${WIDTH} features, WebAssembly on one thread, median of ${node.length}:`,
      `  ${line(`Node ${process.versions.node}`, node)}`,
      `  ${line(title, taken)}`,
      `Recall: of the ${COMPARED.count} nearest by exact search, 8-bit vectors find ${(100 * recall).toFixed(1)} % ` +
        `(${COMPARED.queries} queries among ${embeddings.length} drawn pictures as ${model} embeds them and ` +
        `${all.length - embeddings.length} vectors drawn around those)`,
      '',
    ].join('\n'),
  );
}
