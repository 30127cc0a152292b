/**
 * Which of the site's models the page uses: the one that the address asks for (`?model=skin-8`), else the one that was
 * chosen here before, else the one that the page names. What a person chooses is remembered on this device, and an
 * address that asked for another is brought in line.
 */
import { isModelName, keptVersion, listModels, type ModelInfo, type ModelSummary } from '../classifier/index.js';
import type { DermletClassifierElement } from '../element/index.js';
import { say } from '../messages/index.js';
import type { DermletModelChoice } from './model-choice.js';

const KEY = 'dermlet-model';
const PARAMETER = 'model';
/**
 * Milliseconds that the page waits for the list before it takes a name on trust: offline the model may be kept though
 * the list is not.
 */
const LIST_TIMEOUT = 3000;

/** Storage is absent or throws in some privacy modes: the choice then lasts as long as the page. */
function remembered(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

function remember(name: string | null): void {
  try {
    if (name === null) localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, name);
  } catch {
    // See above.
  }
}

const requested = (): string | null => new URLSearchParams(location.search).get(PARAMETER);

function bringAddressInLine(name: string): void {
  const address = new URL(location.href);
  if (!address.searchParams.has(PARAMETER)) return;
  address.searchParams.set(PARAMETER, name);
  history.replaceState(history.state, '', address);
}

function within<T>(work: Promise<T>, milliseconds: number): Promise<T | null> {
  return Promise.race([
    work.catch(() => null),
    new Promise<null>((resolve) => setTimeout(() => resolve(null), milliseconds)),
  ]);
}

export interface Choice {
  /** The model to begin with. */
  name: string;
  /** A name that the address asks for and the site has not; empty: none. */
  unknown: string;
}

/**
 * Decides what to begin with; `pageModel` is what the page itself names. Waits for the list only where another is
 * requested.
 */
export async function firstChoice(pageModel: string, listed: Promise<readonly ModelSummary[]>): Promise<Choice> {
  const wanted = requested() ?? remembered();
  if (wanted === null || wanted === pageModel) return { name: pageModel, unknown: '' };
  const models = await within(listed, LIST_TIMEOUT);
  const there = isModelName(wanted) && (models === null || models.some(({ name }) => name === wanted));
  if (there) return { name: wanted, unknown: '' };
  if (requested() !== null) return { name: pageModel, unknown: wanted };
  // It was here once and is no more.
  remember(null);
  return { name: pageModel, unknown: '' };
}

/** Shows the choice, and keeps it, the element and the page's words about licences together. */
export async function offerModels(
  element: DermletClassifierElement,
  choice: DermletModelChoice,
  licence: HTMLElement | null,
  pageModel: string,
  { name, unknown }: Choice,
  listed: Promise<readonly ModelSummary[]>,
): Promise<void> {
  choice.value = name;
  choice.unknown = unknown;
  choice.addEventListener('model', (event) => {
    const chosen = (event as CustomEvent<string>).detail;
    remember(chosen === pageModel ? null : chosen);
    bringAddressInLine(chosen);
    choice.value = chosen;
    choice.unknown = '';
    element.model = chosen;
  });
  element.addEventListener('dermlet-ready', (event) => {
    if (licence) showLicence(licence, event.detail.model);
    void markKept(choice);
  });
  // Without the list there is nothing to choose from, and the page works all the same.
  choice.models = (await within(listed, 60_000)) ?? [];
  await markKept(choice);
}

/** The list says what was kept when it was read; since then a model may have been downloaded. */
async function markKept(choice: DermletModelChoice): Promise<void> {
  const models = choice.models;
  const marked = await Promise.all(
    models.map(async (model) => ({ ...model, kept: (await keptVersion(model.url)) === model.version })),
  );
  if (choice.models === models) choice.models = marked;
}

/** The sentence in index.html is about the page's own model. */
function showLicence(place: HTMLElement, { license, cardUrl }: ModelInfo): void {
  place.querySelector('[data-of=use]')!.textContent = license.nonCommercial
    ? say('model.weights.nonCommercial')
    : say('model.weights.commercial', { licence: license.id });
  place.querySelector<HTMLAnchorElement>('[data-of=card]')!.href = cardUrl;
  place.querySelector<HTMLAnchorElement>('[data-of=licence]')!.href = license.url;
}

/** `listModels` for this page; asked for once. */
export function siteModels(): Promise<readonly ModelSummary[]> {
  const listed = listModels();
  listed.catch((error: unknown) => console.info('Dermlet could not read its list of models:', error));
  return listed;
}
