// @vitest-environment happy-dom
/**
 * Element and page in a language made up here: accents and brackets. What is English outside of the brackets was not
 * taken from the catalogue.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { catalogues, functionsOf, withWords } from '../../tools/build/messages.mjs';
import { QUALITY_CHECKS } from '../../web/src/classifier/contract.js';
import { DermletError, type ErrorCode } from '../../web/src/classifier/errors.js';
import type { ModelInfo, ModelSummary, Stage } from '../../web/src/classifier/options.js';
import type { Outcome, QualityCheckId, Result, Tier } from '../../web/src/classifier/result.js';
import { DermletClassifier, register } from '../../web/src/element/index.js';
import type { Again, LoadState, Photo, PhotoState, Session } from '../../web/src/element/session.js';
import { addLanguage, type Language, setLanguage } from '../../web/src/messages/index.js';
import '../../web/src/page/model-choice.js';
import { translate } from '../../web/src/page/translate.js';

const english = catalogues().en;
const ACCENTS: Record<string, string> = Object.fromEntries(
  [...'abcdefghijklmnopqrstuvwxyz'].map((letter) => [letter, `${letter}\u0301`]),
);
const accented = (text: string) =>
  text.replace(/<\/?link>|[a-z]/gi, (part) => (part.length > 1 ? part : (ACCENTS[part.toLowerCase()] ?? part)));

/** Right to left, as a language of this kind comes too; without what `drop` names. */
async function speak(drop: (key: string) => boolean = () => false): Promise<Language> {
  const pseudo: Language = { tag: 'x-pseudo', locale: 'en-GB', direction: 'rtl' };
  const messages = Object.fromEntries(
    Object.entries(functionsOf(english))
      .filter(([key]) => !drop(key))
      .map(([key, say]) => [key, (values: Record<string, unknown>) => `⟦${accented(say(values))}⟧`]),
  );
  addLanguage(pseudo, async () => ({ messages }));
  await setLanguage(['en']);
  return setLanguage(['x-pseudo']);
}

/** Names that are data and not words: no letter of theirs is English. */
const CLASSES = ['№ 1', '№ 2', '№ 3'].map((name, i) => ({
  id: `${i}`,
  name,
  plain: `№ ${i}`,
  probability: [0.6, 0.3, 0.1][i]!,
  concern: (['low', 'moderate', 'high'] as const)[i]!,
  inSet: true,
}));
const CHECKS = (Object.keys(QUALITY_CHECKS) as QualityCheckId[]).map((id) => ({
  id,
  value: 0.5,
  limit: 1,
  passed: false,
}));
const RECT = { x: 0, y: 0, width: 4, height: 4 };
const SPOT = { ...RECT, score: 1, frame: RECT };
const PICTURE = { width: 4, height: 4, rgba: new Uint8ClampedArray(64) };

function result(change: Partial<Result>): Result {
  return {
    resultVersion: 2,
    model: { name: '1', version: '1', sha256: '0'.repeat(64), title: '1' },
    outcome: 'single',
    tier: 'low',
    modality: 'photo',
    modalityChoice: { by: 'caller', recognised: { modality: 'dermoscopy', probability: 0.99 } },
    testTimeAugmentation: false,
    ranking: CLASSES,
    predictionSet: [],
    coverage: 0.9,
    rejection: { method: 'energy', score: 1, threshold: 2 },
    quality: { usable: true, checks: [] },
    source: {
      format: 'jpeg',
      bytes: 5e6,
      width: 8,
      height: 8,
      orientation: 1,
      colour: 'srgb',
      decodePath: 'core',
      bitExact: true,
      region: RECT,
    },
    frame: { framing: 'spot', spots: [SPOT, SPOT] },
    explanation: { classId: '0', rows: 1, columns: 1, values: [1] },
    runtime: {
      backend: 'wasm',
      threads: 1,
      fallback: { from: 'webgpu', reason: '1' },
      timings: { queue: 5, prepare: 1, inference: 1, interpret: 1, total: 8 },
    },
    images: { preview: PICTURE, view: PICTURE, overlay: PICTURE } as unknown as NonNullable<Result['images']>,
    ...change,
  };
}

const MODEL = {
  name: '1',
  modalities: ['photo', 'dermoscopy'],
  defaultModality: 'photo',
  recognisesModality: true,
  license: { id: '1', url: '1', nonCommercial: true },
  cardUrl: '1',
} as unknown as ModelInfo;

interface Said {
  text: string;
  lang: string;
}

const ATTRIBUTES = ['aria-label', 'aria-valuetext', 'alt', 'title', 'placeholder'];

/** Every text and every attribute that is read out, in shadow trees too, with the language that it is marked with. */
function said(node: Node, lang = ''): Said[] {
  if (node.nodeType === node.TEXT_NODE) {
    const text = node.textContent?.trim() ?? '';
    return text === '' ? [] : [{ text, lang }];
  }
  const own = node instanceof Element ? node.getAttribute('lang') || lang : lang;
  if (node instanceof Element && ['STYLE', 'SCRIPT'].includes(node.tagName)) return [];
  const attributes =
    node instanceof Element
      ? ATTRIBUTES.flatMap((name) => (node.getAttribute(name) ? [{ text: node.getAttribute(name)!, lang: own }] : []))
      : [];
  const shadow = node instanceof Element && node.shadowRoot ? said(node.shadowRoot, own) : [];
  return [...attributes, ...shadow, ...[...node.childNodes].flatMap((child) => said(child, own))];
}

function outside(text: string): string {
  let rest = text;
  for (let before = ''; before !== rest; ) {
    before = rest;
    rest = rest.replace(/⟦[^⟦⟧]*⟧/g, '');
  }
  return rest;
}

/** What stands in English without being marked as English. */
const hardCoded = (all: readonly Said[]) =>
  all.filter(({ text, lang }) => lang !== 'en' && /[a-z]{2}/i.test(outside(text).replace(/https?:\S+/g, '')));

let nextId = 1;
const photo = (state: PhotoState): Photo => ({
  id: nextId++,
  name: '1',
  file: new Blob(),
  url: 'blob:1',
  modality: 'photo',
  crop: null,
  closer: null,
  accepted: true,
  spots: [],
  state,
  chosenAt: 0,
  said: null,
  reading: null,
});

interface Stub extends EventTarget {
  load: LoadState;
  photos: Photo[];
  selected: Photo | null;
  selectedId: number | null;
  modality: string | null;
  hides: Session['hides'];
}

/** The element with photos in given states, the first of them shown. */
async function shown(load: LoadState, ...states: PhotoState[]): Promise<DermletClassifier> {
  const element = new DermletClassifier();
  const photos = states.map(photo);
  const session: Stub = Object.assign(new EventTarget(), {
    load,
    photos,
    selected: photos[0] ?? null,
    selectedId: photos[0]?.id ?? null,
    modality: null,
    resume: () => {},
    suspend: () => {},
    hides: () => false,
  });
  document.body.replaceChildren(element);
  await element.updateComplete;
  Object.assign(element, { session });
  await settled(element);
  return element;
}

/** Parts of parts render after their hosts. */
async function settled(element: Element): Promise<void> {
  for (let depth = 0; depth < 4; depth++) {
    await (element as DermletClassifier).updateComplete;
    await new Promise((resolve) => setTimeout(resolve));
  }
}

const READY: LoadState = { kind: 'ready', model: MODEL, failedUpdate: undefined, kept: false };
const OUTCOMES: Outcome[] = ['single', 'several', 'not-recognised', 'poor-quality', 'no-spot', 'several-spots'];
const TIERS: Tier[] = ['high', 'moderate', 'low', 'unknown'];
const CODES: ErrorCode[] = [
  'UNSUPPORTED_FORMAT',
  'CORRUPT_IMAGE',
  'IMAGE_TOO_LARGE',
  'INVALID_ARGUMENT',
  'UNREADABLE_FILE',
  'NO_PICTURES',
  'DECODER_UNAVAILABLE',
  'MODEL_UNAVAILABLE',
  'MODEL_CORRUPT',
  'MODEL_TOO_NEW',
  'PART_MISSING',
  'WRONG_MEDIA_TYPE',
  'CROSS_ORIGIN',
  'POLICY_BLOCKED',
  'SANDBOXED',
  'OPENED_AS_FILE',
  'BACKEND_FAILED',
  'ABORTED',
  'DISPOSED',
];
const STAGES: Stage[] = ['queued', 'starting', 'decoding', 'analysing', 'explaining'];

const done = (change: Partial<Result>, again: Again | null = null): PhotoState => ({
  kind: 'done',
  result: result(change),
  at: 0,
  seen: { modality: null, crop: null, closer: null },
  shown: { preview: PICTURE, overlay: PICTURE },
  again,
  earlier: [],
});

/** Every state that the element can be in, as far as other words follow from it. */
const VIEWS: [name: string, load: LoadState, ...states: PhotoState[]][] = [
  ['nothing chosen', READY],
  ['loading', { kind: 'loading', progress: null, stalled: true }],
  ...(['engine', 'model', 'self-test'] as const).flatMap((phase) =>
    [true, false].map((cached): [string, LoadState] => [
      `loading ${phase}, ${cached ? 'kept' : 'fetched'}`,
      { kind: 'loading', progress: { phase, cached, loaded: 1e6, total: 5e6 }, stalled: true },
    ]),
  ),
  [
    'loading, some of it has come',
    {
      kind: 'loading',
      progress: { phase: 'model', cached: false, loaded: 1e6, total: 5e6, all: { loaded: 3e6, total: 7e6 } },
      stalled: false,
    },
  ],
  ...CODES.map((code): [string, LoadState] => [code, { kind: 'failed', error: new DermletError(code, 'in English') }]),
  ...CODES.map((code): [string, LoadState, PhotoState] => [
    `photo: ${code}`,
    READY,
    { kind: 'failed', error: new DermletError(code, 'in English') },
  ]),
  ['waiting for the network', { kind: 'idle' }, { kind: 'waiting' }],
  [
    'several photos',
    READY,
    { kind: 'waiting' },
    { kind: 'running', stage: 'decoding' },
    { kind: 'cancelled' },
    done({}),
  ],
  ['cancelled', READY, { kind: 'cancelled' }],
  ...(
    [
      { kind: 'waiting' },
      { kind: 'running', stage: 'decoding' },
      {
        kind: 'failed',
        error: new DermletError('UNREADABLE_FILE', 'in English'),
        wanted: { modality: null, crop: null, closer: null },
      },
    ] as const
  ).map((again): [string, LoadState, PhotoState] => [`again: ${again.kind}`, READY, done({}, again)]),
  ...STAGES.map((stage): [string, LoadState, PhotoState] => [stage, READY, { kind: 'running', stage }]),
  ...OUTCOMES.flatMap((outcome) =>
    TIERS.map((tier): [string, LoadState, PhotoState] => [
      `${outcome}, ${tier}`,
      READY,
      done({ outcome, tier, quality: { usable: false, checks: outcome === 'poor-quality' ? CHECKS : [] } }),
    ]),
  ),
  ...(['whole', 'both', 'chosen', 'none', 'several'] as const).map((framing): [string, LoadState, PhotoState] => [
    `framing ${framing}`,
    READY,
    done({ frame: { framing, spots: [SPOT] } }),
  ]),
  ...(['assumed-srgb', 'converted', 'unsupported-profile'] as const).map((colour): [string, LoadState, PhotoState] => [
    colour,
    READY,
    done({ source: { ...result({}).source, colour, decodePath: 'libheif' }, modalityChoice: { by: 'default' } }),
  ]),
  [
    'never refused',
    READY,
    done({ rejection: { method: 'distance', score: 1, threshold: null }, modalityChoice: { by: 'picture' } }),
  ],
];

beforeAll(register);
afterAll(() => setLanguage(['en']));

describe('in another language', () => {
  beforeEach(async () => {
    await speak();
  });

  test.each(VIEWS)('%s: nothing is left in English', async (_name, load, ...states) => {
    const element = await shown(load, ...states);
    const all = said(element);
    expect(all.length).toBeGreaterThan(4);
    expect(hardCoded(all)).toEqual([]);
    const stack = element.shadowRoot!.querySelector('.stack')!;
    expect([stack.getAttribute('lang'), stack.getAttribute('dir')]).toEqual(['x-pseudo', 'rtl']);
  });

  test('the choice of a model', async () => {
    const summary = (change: object) =>
      ({
        name: '1',
        title: '1',
        classes: 8,
        bytes: 5e6,
        license: MODEL.license,
        cardUrl: '1',
        kept: false,
        ...change,
      }) as ModelSummary;
    const choice = Object.assign(document.createElement('dermlet-model-choice'), {
      models: [summary({}), summary({ kept: true, license: { ...MODEL.license, nonCommercial: false } })],
      unknown: true,
    });
    document.body.replaceChildren(choice);
    await settled(choice);
    expect(said(choice).length).toBeGreaterThan(8);
    expect(hardCoded(said(choice))).toEqual([]);
  });
});

test('what the catalogue lacks is found by this', async () => {
  await speak((key) => key === 'picker.choose');
  expect(hardCoded(said(await shown(READY))).map(({ text }) => text)).toEqual(['Choose photos', 'Choose photos']);
});

test('sentences of medical weight without a translation are marked as English', async () => {
  const medical = (key: string) => {
    const entry = english.messages[key]!;
    return typeof entry !== 'string' && entry.medical === true;
  };
  await speak(medical);
  let marked = 0;
  for (const [name, load, ...states] of VIEWS.filter(([, , ...states]) => states[0]?.kind === 'done')) {
    const all = said(await shown(load, ...states));
    expect(hardCoded(all), name).toEqual([]);
    marked += all.filter(({ lang }) => lang === 'en').length;
  }
  expect(marked).toBeGreaterThan(100);
});

test('parts that are there already follow the language', async () => {
  await setLanguage(['en']);
  const element = await shown(READY, done({}));
  expect(said(element).map(({ text }) => text)).toContain('How the categories score');
  await speak();
  await settled(element);
  expect(hardCoded(said(element))).toEqual([]);
});

describe('index.html', () => {
  /** Without what would be fetched. */
  const html = withWords(readFileSync(join(import.meta.dirname, '../../web/index.html'), 'utf8')).replace(
    /<(link|script)\b[^>]*>/g,
    '',
  );
  const page = () => new DOMParser().parseFromString(html, 'text/html');
  const dermlet = ({ text }: Said) => text !== 'Dermlet';

  test('is in English as it is built', () => {
    const texts = said(page()).map(({ text }) => text);
    expect(texts).toContain('Worried about something on your skin?');
    expect(texts.join(' ')).toContain('free under the LGPL .');
  });

  test('is translated in its places, with its links', async () => {
    const language = await speak();
    const there = page();
    translate(there, language);
    expect(hardCoded(said(there)).filter(dermlet)).toEqual([]);
    expect([there.documentElement.lang, there.documentElement.dir]).toEqual(['x-pseudo', 'rtl']);
    expect(there.querySelector('meta[name=description]')?.getAttribute('content')).toMatch(/^⟦.*⟧$/);
    const link = there.querySelector<HTMLAnchorElement>('[data-message$=libheif] a')!;
    expect(link.getAttribute('href')).toBe('./engine/libheif.LICENSE');
    expect(link.textContent).toBe(accented('LGPL'));
  });

  test('keeps what has no translation, marked as English', async () => {
    const language = await speak((key) => key === 'document.lead');
    const there = page();
    translate(there, language);
    expect(said(there).filter(({ lang }) => lang === 'en')).toMatchObject([
      { text: expect.stringMatching(/^Take a close photo of it/) },
    ]);
  });
});
