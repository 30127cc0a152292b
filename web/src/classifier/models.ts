/**
 * Models by name: the site's `models/` folder is beside the engine's, with one folder per model and a list of them,
 * `index.json`, that the build writes (schema: `models/index.schema.json`). A bare name such as `skin-8` means the
 * folder `models/skin-8/` there; anything else is an address.
 */
import { is } from 'valibot';
import { throwIfAborted } from './abort.js';
import { addressIn, engineFolder, shippedIn } from './asset-base.js';
import { type IndexEntry, type ModelIndex, modelIndex, modelName } from './documents.js';
import { download, type Fetch, platformFetch } from './download.js';
import { DermletError } from './errors.js';
import { LIMITS } from './limits.js';
import { keptVersion, modelFolder } from './model-store.js';
import type { ListOptions, ModelSummary } from './options.js';
import { parsed, read, refuseNewer, reject } from './reading.js';
import { within } from './within.js';

const WHAT = 'The list of models';

export const isModelName = (text: string): boolean => is(modelName, text);

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

/** What a schema cannot say. */
function checkTogether({ models }: ModelIndex): void {
  const names = models.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) reject('models', `name '${twice}' twice`);
  const defaults = models.filter((model) => model.default).length;
  if (defaults !== 1) reject('models', `must have one default, not ${defaults}`);
}

/** The one version that is read. */
const INDEX_VERSION = 1 satisfies ModelIndex['indexVersion'];

function checkVersion(value: unknown): void {
  const version = (value as { indexVersion?: unknown } | null | undefined)?.indexVersion;
  if (Number.isInteger(version)) refuseNewer(WHAT, version as number, INDEX_VERSION);
}

/**
 * Reads a parsed index.json.
 * @throws DermletError MODEL_CORRUPT that names the first field found wrong, MODEL_TOO_NEW
 */
export const parseModelIndex = (value: unknown): IndexEntry[] =>
  read(WHAT, modelIndex, value, { before: checkVersion, after: checkTogether }).models;

export interface IndexSource {
  fetch?: Fetch;
  caches?: CacheStorage | null;
}

/**
 * What `models/index.json` lists, the default first.
 * @throws DermletError MODEL_UNAVAILABLE, MODEL_CORRUPT, MODEL_TOO_NEW, INVALID_ARGUMENT, ABORTED
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
 * The name of the model used when none is chosen.
 * @throws DermletError MODEL_UNAVAILABLE, MODEL_CORRUPT, MODEL_TOO_NEW, ABORTED
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
    fetch: fetcher ?? platformFetch,
    signal,
    cache: 'no-cache',
    limit: 1 << 20,
  });
  return parseModelIndex(parsed(WHAT, new TextDecoder().decode(bytes)));
}

/**
 * The error for a failed load by name: a name that is not listed is the caller's mistake, not a network problem.
 * @returns INVALID_ARGUMENT with the known names; `error` unchanged if the name is listed, the list cannot be fetched,
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
  const list = fetchIndex(modelsFolder(assetBase), undefined, source.fetch);
  const names = await within(list, LIMITS.explanation, 'The list of models').then(
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
