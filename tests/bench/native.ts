/**
 * npm run bench -- --native: the C++ core stage by stage with Google Benchmark, on the benchmark's drawn photos, beside
 * libjpeg-turbo (native/stages_bench.cc).
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BenchPicture } from './pictures.js';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** `args` go to Google Benchmark as they are; tools/build/run.mjs has built the program. @throws when it fails */
export async function runNative(args: string[], pictures: BenchPicture[]): Promise<void> {
  const program = join(root, 'build', 'bench', 'tests', 'bench', 'native', 'stages_bench');
  const child = spawn(program, [...args, join(root, 'tests', 'pictures'), ...pictures.map((picture) => picture.path)], {
    stdio: 'inherit',
  });
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  if (code !== 0) throw new Error(`the benchmark ended with ${code ?? signal}`);
}
