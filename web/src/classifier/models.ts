/**
 * Models by name: the site's `models/` folder lies beside the engine's, with one folder a model and a list of them,
 * `index.json`, that the build writes (schema: `models/index.schema.json`). A bare name such as `skin-8` means the
 * folder `models/skin-8/` there; all else is an address.
 */
import { throwIfAborted } from './abort.js';
import { addressIn, engineFolder, shippedIn } from './asset-base.js';
import { download, type Fetch } from './download.js';
import { DermletError } from './errors.js';
import { Fields, reading, reject } from './fields.js';
import { FILE_NAME, MODEL_NAME, VERSION } from './manifest.js';
import { keptVersion, modelFolder } from './model-store.js';
import type { ListOptions, ModelSummary } from './options.js';

/** An entry of index.json. `license.path` and `card` are files in the model's folder. */
export interface IndexEntry {
  name: string;
  title: string;
  version: string;
  /** Of the network's file, as it is downloaded from a host that does not compress. */
  bytes: number;
  license: { id: string; path: string; nonCommercial: boolean };
  card: string;
  /** How many. */
  classes: number;
  /** True for exactly one. */
  default: boolean;
}

const WHAT = 'The list of models';

export const isModelName = (text: string): boolean => MODEL_NAME.test(text);

/** `models/` beside the engine's folder. Both absolute, ending in '/'. */
export const modelsFolder = (assetBase: string): string => new URL('../models/', assetBase).href;

/**
 * The folder of a model, from its name, its address or its manifest's address.
 * @param here what addresses are relative to
 * @throws DermletError INVALID_ARGUMENT
 */
export function resolveModel(model: string | URL, assetBase: string, here: string | undefined): string {
  return typeof model === 'string' && isModelName(model)
    ? new URL(`${model}/`, modelsFolder(assetBase)).href
    : modelFolder(model, here);
}

function parseEntry(value: unknown, path: string): IndexEntry {
  const fields = new Fields(value, path);
  const license = new Fields(fields.raw('license'), fields.at('license'));
  const entry: IndexEntry = {
    name: fields.text('name', MODEL_NAME),
    title: fields.text('title', /^[\s\S]/u),
    version: fields.text('version', VERSION),
    bytes: fields.integer('bytes', 1),
    license: {
      id: license.text('id'),
      path: license.text('path', FILE_NAME),
      nonCommercial: license.flag('nonCommercial'),
    },
    card: fields.text('card', FILE_NAME),
    classes: fields.integer('classes', 2),
    default: fields.flag('default'),
  };
  license.end();
  fields.end();
  return entry;
}

/** Reads a parsed index.json. @throws DermletError MODEL_CORRUPT that names the first field found wrong */
export function parseModelIndex(value: unknown): IndexEntry[] {
  return reading(WHAT, () => {
    const fields = new Fields(value, '');
    if (fields.raw('indexVersion') !== 1) reject('indexVersion', 'must be 1');
    const models = fields.list('models', 1, parseEntry);
    fields.end();
    const names = models.map(({ name }) => name);
    const twice = names.find((name, index) => names.indexOf(name) !== index);
    if (twice !== undefined) reject('models', `name '${twice}' twice`);
    const defaults = models.filter((model) => model.default).length;
    if (defaults !== 1) reject('models', `must have one default, not ${defaults}`);
    return models;
  });
}

export interface IndexSource {
  fetch?: Fetch;
  caches?: CacheStorage | null;
}

/**
 * What `models/index.json` lists, the default first. @throws DermletError MODEL_UNAVAILABLE, MODEL_CORRUPT,
 * INVALID_ARGUMENT, ABORTED
 */
export async function listModelsFrom(options: ListOptions, source: IndexSource = {}): Promise<ModelSummary[]> {
  const folder = modelsFolder(engineFolder(options.assetBase, globalThis.location?.href));
  const entries = await fetchIndex(folder, options.signal, source.fetch);
  const ordered = [...entries.filter((entry) => entry.default), ...entries.filter((entry) => !entry.default)];
  const models = await Promise.all(
    ordered.map(async ({ license, card, ...entry }): Promise<ModelSummary> => {
      const url = new URL(`${entry.name}/`, folder).href;
      const addresses = shippedIn(url);
      return {
        ...entry,
        url,
        license: { id: license.id, url: addressIn(url, license.path, addresses), nonCommercial: license.nonCommercial },
        cardUrl: addressIn(url, card, addresses),
        kept: (await keptVersion(url, source.caches)) === entry.version,
      };
    }),
  );
  throwIfAborted(options.signal);
  return models;
}

/**
 * The name of the model that is taken when nobody chose.
 * @throws DermletError MODEL_UNAVAILABLE, MODEL_CORRUPT, ABORTED
 */
export async function defaultModel(
  assetBase: string,
  signal: AbortSignal | undefined,
  source: IndexSource = {},
): Promise<string> {
  const entries = await fetchIndex(modelsFolder(assetBase), signal, source.fetch);
  return entries.find((entry) => entry.default)!.name;
}

async function fetchIndex(
  folder: string,
  signal: AbortSignal | undefined,
  fetcher: Fetch | undefined,
): Promise<IndexEntry[]> {
  const url = addressIn(folder, 'index.json', shippedIn(folder));
  const bytes = await download(url, {
    fetch: fetcher ?? ((address, init) => fetch(address, init)),
    signal,
    cache: 'no-cache',
    limit: 1 << 20,
  });
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw new DermletError('MODEL_CORRUPT', `${WHAT} is not valid: it is not JSON.`, { cause });
  }
  return parseModelIndex(value);
}

/**
 * What a failed load by name should say: a name that the list does not hold is the caller's slip and no matter of the
 * network.
 * @returns INVALID_ARGUMENT with the known names, or `error` as it was when the name is listed, the list cannot be had,
 * or it is another error
 */
export async function explainUnknown(
  model: string | URL,
  error: unknown,
  assetBase: string,
  source: IndexSource = {},
): Promise<unknown> {
  if (
    typeof model !== 'string' ||
    !isModelName(model) ||
    !(error instanceof DermletError) ||
    error.code !== 'MODEL_UNAVAILABLE'
  )
    return error;
  const names = await fetchIndex(modelsFolder(assetBase), undefined, source.fetch).then(
    (entries) => entries.map(({ name }) => name),
    () => [model],
  );
  if (names.includes(model)) return error;
  return new DermletError(
    'INVALID_ARGUMENT',
    `There is no model '${model}' here; there is ${names.join(', ')}. An address must hold a '/'.`,
    { cause: error },
  );
}
