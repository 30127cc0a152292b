/** The command line's result for a picture: the same core and network in Node. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from '@playwright/test';
import type { Result } from '../../web/src/classifier/index.js';
import { picture, root } from './site.js';

const known = new Map<string, Promise<Result>>();

async function ask(names: readonly string[], model: string | undefined, more: readonly string[]): Promise<Result> {
  const args = [
    join(root, 'tools', 'cli', 'main.ts'),
    'classify',
    ...names.map(picture),
    '--json',
    ...(model === undefined ? [] : ['--model', model]),
    ...more,
  ];
  const { stdout } = await promisify(execFile)(join(root, 'node_modules', '.bin', 'tsx'), args, {
    cwd: root,
    maxBuffer: 64 << 20,
  });
  return resultIn(JSON.parse(stdout));
}

/** The result itself, without the command's wrapping. */
function resultIn(json: unknown): Result {
  const first: unknown = Array.isArray(json) ? json[0] : json;
  const result = (first as { result?: unknown }).result ?? first;
  expect(result).toMatchObject({ resultVersion: 2 });
  return result as Result;
}

/** For a picture by name or full path, with the default model or one in a folder. */
export function nodeResult(name: string, model?: string): Promise<Result> {
  return remembered([name], model, []);
}

/** For two pictures of one lesion, each with its modality, with the model in a folder. */
export function nodeLesion(
  pictures: readonly (readonly [name: string, modality: string])[],
  model: string,
  ...more: string[]
): Promise<Result> {
  return remembered(
    pictures.map(([name]) => name),
    model,
    ['--lesion', '--modality', pictures.map(([, modality]) => modality).join(','), ...more],
  );
}

function remembered(names: readonly string[], model: string | undefined, more: readonly string[]): Promise<Result> {
  const key = JSON.stringify([names, model, more]);
  const answer = known.get(key) ?? ask(names, model, more);
  known.set(key, answer);
  return answer;
}

/** Compares probabilities by class id, and everything that does not depend on where the network ran. */
export function expectSame(found: Result, wanted: Result, tolerance = 1e-4): void {
  const byId = (result: Result) => Object.fromEntries(result.ranking.map(({ id, probability }) => [id, probability]));
  const [a, b] = [byId(found), byId(wanted)];
  expect(Object.keys(a).sort()).toEqual(Object.keys(b).sort());
  for (const [id, probability] of Object.entries(b)) {
    expect(Math.abs((a[id] as number) - probability), `probability of ${id}`).toBeLessThanOrEqual(tolerance);
  }
  expect(Math.abs(found.rejection.score - wanted.rejection.score)).toBeLessThanOrEqual(100 * tolerance);
  const plain = ({ outcome, tier, modality, predictionSet, quality, source, model }: Result) => ({
    outcome,
    tier,
    modality,
    predictionSet,
    quality,
    source,
    model,
  });
  expect(plain(found)).toEqual(plain(wanted));
}
