/**
 * Which of the site's models the page uses: the one in the address (`?model=skin-8`), else the one chosen before, else
 * the page's own. A person's choice is stored on this device, and replaces the one in the address.
 */
import {
  isModelName,
  keptVersion,
  listModels,
  type ModelFiles,
  type ModelInfo,
  type ModelSummary,
  onKept,
} from '../classifier/index.js';
import { cardOf, type DermletClassifierElement, imported, type Pages, pagesIn } from '../element/index.js';
import { allWords, onLanguage, say } from '../messages/index.js';
import type { DermletModelChoice } from './model-choice.js';

const KEY = 'dermlet-model';
const PARAMETER = 'model';
/** Milliseconds to wait for the list before trusting a name: offline, the model may be cached without the list. */
const LIST_TIMEOUT = 3000;

/** Storage is absent or throws in some privacy modes: the choice then lasts until the page is closed. */
function storedName(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

function store(name: string | null): void {
  try {
    if (name === null) localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, name);
  } catch {
    // See above.
  }
}

const requestedName = (): string | null => new URLSearchParams(location.search).get(PARAMETER);

function updateAddress(name: string): void {
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

export type Unknown = 'address' | 'chosen before';

export interface Choice {
  /** The model to start with. */
  name: string;
  /** Who asks for one that the site does not have: what the address says is shown nowhere. */
  unknown: Unknown | null;
}

/** The model to start with. Waits for the list only if that is not `pageModel`, the page's own. */
export async function firstChoice(pageModel: string, listed: Promise<readonly ModelSummary[]>): Promise<Choice> {
  const wanted = requestedName() ?? storedName();
  if (wanted === null || wanted === pageModel) return { name: pageModel, unknown: null };
  const models = await within(listed, LIST_TIMEOUT);
  const available = isModelName(wanted) && (models === null || models.some(({ name }) => name === wanted));
  if (available) return { name: wanted, unknown: null };
  if (requestedName() !== null) return { name: pageModel, unknown: 'address' };
  // Told once: it is not asked for again.
  store(null);
  return { name: pageModel, unknown: 'chosen before' };
}

/** Fills the choice in the settings, and keeps it, the element and the licence text in step. */
export async function offerModels(
  element: DermletClassifierElement,
  settings: HTMLDetailsElement,
  choice: DermletModelChoice,
  licence: HTMLElement | null,
  pageModel: string,
  { name, unknown }: Choice,
  listed: Promise<readonly ModelSummary[]>,
): Promise<void> {
  const pages = pagesIn(element.categoryPages, element.cardPages);
  choice.pages = pages;
  choice.value = name;
  const told = document.querySelector<HTMLElement>('#unknown-model')!;
  choice.addEventListener('model', (event) => {
    const chosen = (event as CustomEvent<string>).detail;
    store(chosen === pageModel ? null : chosen);
    updateAddress(chosen);
    choice.value = chosen;
    told.hidden = true;
    element.modelFiles = null;
    element.head = null; // it fits no other
    element.model = chosen;
  });
  let used: ModelInfo | undefined;
  const tellLicence = () => {
    if (licence && used) showLicence(licence, pages, used);
  };
  element.addEventListener('dermlet-ready', (event) => {
    used = event.detail.model;
    tellLicence();
  });
  settings.addEventListener('toggle', () => void offerOpening(element, choice, told), { once: true });
  onLanguage(tellLicence);
  onKept(() => void markKept(choice));
  if (unknown) {
    const { tellUnknown } = await imported(() => import('./unknown-model.js'));
    void tellUnknown(told, settings, unknown, name, within(listed, LIST_TIMEOUT));
  }
  // Without the list there is nothing to choose from; the page works nevertheless. Nobody sees it in closed settings.
  const models = (await within(listed, 60_000)) ?? [];
  if (!settings.open) await new Promise((resolve) => settings.addEventListener('toggle', resolve, { once: true }));
  choice.models = models;
  await markKept(choice);
}

/** A model from this device, in place of the site's. */
async function offerOpening(
  element: DermletClassifierElement,
  choice: DermletModelChoice,
  told: HTMLElement,
): Promise<void> {
  await imported(() => import('./open-model.js'));
  await imported(() => import('./open-heads.js'));
  await allWords();
  const open = document.createElement('dermlet-open-model');
  open.addEventListener('opened', (event) => {
    element.head = null;
    element.modelFiles = (event as CustomEvent<ModelFiles>).detail;
    choice.value = '';
    told.hidden = true;
    element.scrollIntoView({ block: 'start' });
  });
  element.addEventListener('dermlet-ready', ({ detail: { model } }) => {
    open.used = element.modelFiles ? model : null;
  });
  const heads = document.createElement('dermlet-open-heads');
  heads.of = element;
  choice.after(open, heads);
}

/** Models may have been downloaded since the list was read. */
async function markKept(choice: DermletModelChoice): Promise<void> {
  const models = choice.models;
  const marked = await Promise.all(
    models.map(async (model) => ({ ...model, kept: (await keptVersion(model.url)) === model.version })),
  );
  if (choice.models === models) choice.models = marked;
}

/** The sentence in index.html is about the page's own model. */
function showLicence(place: HTMLElement, pages: Pages, model: ModelInfo): void {
  const { license } = model;
  const use = place.querySelector('[data-of=use]')!;
  // No more the sentence about the page's own model.
  use.removeAttribute('data-message');
  use.textContent = license.nonCommercial
    ? say('model.weights.nonCommercial')
    : say('model.weights.commercial', { licence: license.id });
  const card = place.querySelector<HTMLAnchorElement>('[data-of=card]')!;
  const { href, isPage } = cardOf(model, pages);
  card.href = href;
  if (!isPage) {
    card.removeAttribute('data-message');
    card.removeAttribute('hreflang');
    card.textContent = cardOf(model, pages).words;
  }
  place.querySelector<HTMLAnchorElement>('[data-of=licence]')!.href = license.url;
}

/** `listModels` for this page; fetched once. */
export function siteModels(): Promise<readonly ModelSummary[]> {
  const listed = listModels();
  listed.catch((error: unknown) => console.info('Dermlet could not read its list of models:', error));
  return listed;
}
