/** Models by name: addresses, the list, and what is said of a name that is not there. */
import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import type { Fetch } from '../../web/src/classifier/download.js';
import { DermletError } from '../../web/src/classifier/errors.js';
import { filesOf, parseManifest } from '../../web/src/classifier/manifest.js';
import {
  explainUnknown,
  isModelName,
  listModelsFrom,
  modelsFolder,
  parseModelIndex,
  resolveModel,
} from '../../web/src/classifier/models.js';
import { modelWords } from '../../web/src/messages/index.js';
import { expectCode, modelFile, root } from './support.js';

const ASSETS = 'https://h/app/engine/';
const HERE = 'https://h/app/pages/page.html';

const entry = (name: string, more: object = {}) => ({
  name,
  title: `Title of ${name}`,
  version: '1.2.3',
  bytes: 5_000_000,
  license: { id: 'CC-BY-4.0', path: 'LICENSE', nonCommercial: false },
  card: 'MODEL_CARD.md',
  classes: 6,
  default: false,
  ...more,
});
const index = () => ({ indexVersion: 1, models: [entry('skin-open'), entry('skin-8', { default: true })] });

/** A host that has the list alone. */
const host =
  (body: string, type = 'application/json'): Fetch =>
  async (url) =>
    url === 'https://h/app/models/index.json'
      ? new Response(body, { headers: { 'content-type': type } })
      : new Response('', { status: 404 });

describe('a model', () => {
  test.each([
    ['skin-8', 'https://h/app/models/skin-8/'],
    ['./skin-8', 'https://h/app/pages/skin-8/'],
    ['skin-8/', 'https://h/app/pages/skin-8/'],
    ['../models/skin-8/manifest.json', 'https://h/app/models/skin-8/'],
    ['https://cdn/m/x?y#z', 'https://cdn/m/x/'],
    ['Skin_8', 'https://h/app/pages/Skin_8/'],
  ])('%s is %s', (model, folder) => expect(resolveModel(model, ASSETS, HERE)).toBe(folder));

  test('is an address whatever it is called when it is a URL', () => {
    expect(resolveModel(new URL('https://h/skin-8'), ASSETS, HERE)).toBe('https://h/skin-8/');
  });

  test('that is neither name nor address is refused', () =>
    expectCode(() => resolveModel('http://', ASSETS, HERE), 'INVALID_ARGUMENT'));

  test('name has the form of a manifest’s', () => {
    expect(['skin-8', 'a', '0'].map(isModelName)).toEqual([true, true, true]);
    expect(['', '-a', 'a/b', 'A', 'a.b', '..', 'a b', 'a'.repeat(65), 'skin-8\n'].some(isModelName)).toBe(false);
  });

  test('folder lies beside the engine, at the root of a host too', () =>
    expect(modelsFolder('https://h/engine/')).toBe('https://h/models/'));
});

describe('the list', () => {
  const bySchema = new Ajv2020().compile(JSON.parse(readFileSync(`${root}models/index.schema.json`, 'utf8')) as object);
  const byParser = (value: unknown): string | undefined => {
    try {
      parseModelIndex(value);
      return undefined;
    } catch (error) {
      return (error as Error).message;
    }
  };

  test('is read by parser and schema alike, whatever is wrong with it', () => {
    const values = [null, true, 'text', '', '../x', 'A B', -1, 0, 1, 1.5, 2, [], {}];
    const disagree: string[] = [];
    let compared = 0;
    const compare = (what: string, change: (list: Record<string, unknown>, model: Record<string, unknown>) => void) => {
      const list = index();
      change(list, list.models[0]!);
      const problem = byParser(list);
      compared += 1;
      // What a schema cannot say is the parser's alone.
      const beyond = problem !== undefined && /twice|must have one default/.test(problem);
      if ((bySchema(list) as boolean) !== (problem === undefined) && !beyond)
        disagree.push(`${what}: ${problem ?? 'accepted'}`);
    };
    for (const key of [...Object.keys(entry('x')), 'stranger']) {
      compare(`${key} removed`, (_, model) => delete model[key]);
      for (const value of values) compare(`${key} = ${JSON.stringify(value)}`, (_, model) => (model[key] = value));
    }
    for (const key of ['id', 'path', 'nonCommercial', 'stranger']) {
      for (const value of values)
        compare(
          `license.${key} = ${JSON.stringify(value)}`,
          (_, model) => ((model.license as Record<string, unknown>)[key] = value),
        );
    }
    for (const key of ['indexVersion', 'models', 'stranger'])
      for (const value of values) compare(key, (list) => (list[key] = value));
    expect(disagree).toEqual([]);
    expect(compared).toBeGreaterThan(150);
    expect(bySchema(index())).toBe(true);
    expect(parseModelIndex(index()).map(({ name }) => name)).toEqual(['skin-open', 'skin-8']);
  });

  test('of a later version is made for a newer Dermlet', () =>
    expectCode(() => parseModelIndex({ indexVersion: 2 }), 'MODEL_TOO_NEW', /newer Dermlet: it is of version 2/));

  test('names each model once and has one default', async () => {
    await expectCode(
      () => parseModelIndex({ indexVersion: 1, models: [entry('a', { default: true }), entry('a')] }),
      'MODEL_CORRUPT',
      /'a' twice/,
    );
    await expectCode(
      () => parseModelIndex({ indexVersion: 1, models: [entry('a')] }),
      'MODEL_CORRUPT',
      /one default, not 0/,
    );
    const both = [entry('a', { default: true }), entry('b', { default: true })];
    await expectCode(
      () => parseModelIndex({ indexVersion: 1, models: both }),
      'MODEL_CORRUPT',
      /list of models is not valid: models must have one default, not 2/,
    );
  });

  test('is given with the default first, absolute addresses, and what is kept', async () => {
    const manifest = JSON.parse(new TextDecoder().decode(modelFile('manifest.json'))) as object;
    const lost = new Set<string>();
    const cache = {
      match: async (url: string) => {
        if (!url.startsWith('https://h/app/models/skin-8/') || lost.has(url)) return undefined;
        return new Response(url.endsWith('.json') ? JSON.stringify({ ...manifest, version: '1.2.3' }) : 'a file');
      },
    };
    const caches = { open: async () => cache } as unknown as CacheStorage;
    const list = () => listModelsFrom({ assetBase: ASSETS }, { fetch: host(JSON.stringify(index())), caches });
    const models = await list();
    expect(models.map(({ name, default: usual, kept }) => [name, usual, kept])).toEqual([
      ['skin-8', true, true],
      ['skin-open', false, false],
    ]);
    // Kept is what all files are here of.
    for (const { path, sha256 } of filesOf(parseManifest(manifest))) {
      lost.clear();
      lost.add(`https://h/app/models/skin-8/${path}?sha256=${sha256}`);
      expect((await list())[0]!.kept).toBe(false);
    }
    expect(models[0]).toMatchObject({
      url: 'https://h/app/models/skin-8/',
      cardUrl: 'https://h/app/models/skin-8/MODEL_CARD.md',
    });
    expect(models[0]?.license).toEqual({
      id: 'CC-BY-4.0',
      url: 'https://h/app/models/skin-8/LICENSE',
      nonCommercial: false,
    });
    // Another version than the list's, or a cache that throws, is as good as none.
    const older = {
      open: async () => ({ match: async () => new Response(JSON.stringify(manifest)) }),
    } as unknown as CacheStorage;
    const denied = {
      open: () => Promise.reject(new DOMException('denied', 'SecurityError')),
    } as unknown as CacheStorage;
    for (const store of [older, denied, null]) {
      const again = await listModelsFrom(
        { assetBase: ASSETS },
        { fetch: host(JSON.stringify(index())), caches: store },
      );
      expect(again.some(({ kept }) => kept)).toBe(false);
    }
  });

  test('that is not there, no list or a page is told apart', async () => {
    const list = (fetch: Fetch, signal?: AbortSignal) =>
      listModelsFrom({ assetBase: ASSETS, ...(signal ? { signal } : {}) }, { fetch, caches: null });
    await expectCode(
      list(async () => new Response('', { status: 404 })),
      'MODEL_UNAVAILABLE',
      /404/,
    );
    await expectCode(list(host('<!doctype html>', 'text/html')), 'MODEL_UNAVAILABLE', /HTML/);
    await expectCode(list(host('[')), 'MODEL_CORRUPT', /not JSON/);
    await expectCode(list(host(JSON.stringify(index())), AbortSignal.abort()), 'ABORTED');
  });
});

describe('a name that cannot be loaded', () => {
  const gone = new DermletError('MODEL_UNAVAILABLE', '404');
  const explain = (model: string | URL, error: unknown, fetch = host(JSON.stringify(index()))) =>
    explainUnknown(model, error, ASSETS, { fetch });

  test('and is not listed is the caller’s slip, told with the names that are', async () => {
    const error = await explain('skin-9', gone);
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', cause: gone });
    expect((error as Error).message).toContain("no model 'skin-9' here; there is skin-open, skin-8");
  });

  test('stays what it was otherwise', async () => {
    expect(await explain('skin-8', gone)).toBe(gone);
    expect(await explain('./skin-9', gone)).toBe(gone);
    expect(await explain(new URL('https://h/skin-9'), gone)).toBe(gone);
    expect(await explain('skin-9', gone, async () => new Response('', { status: 404 }))).toBe(gone);
    const corrupt = new DermletError('MODEL_CORRUPT', 'no');
    expect(await explain('skin-9', corrupt)).toBe(corrupt);
  });
});

test('the words of a choice: categories, licence, download', () => {
  const license = { id: 'CC-BY-NC-4.0', url: '', nonCommercial: true };
  expect(modelWords({ classes: 8, bytes: 6_951_042, kept: false, license })).toEqual({
    knows: '8 categories',
    licence: 'For non-commercial use only (CC-BY-NC-4.0)',
    download: '7.0\u00a0MB to download once',
  });
  const open = modelWords({
    classes: 6,
    bytes: 4_900_000,
    kept: true,
    license: { id: 'CC-BY-4.0', url: '', nonCommercial: false },
  });
  expect([open.licence, open.download]).toEqual([
    'For commercial use too (CC-BY-4.0)',
    'Kept on this device (4.9\u00a0MB)',
  ]);
});
