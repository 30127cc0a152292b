/** What the panel shows, as plain text: it is drawn and copied from the same. */
import type { Inspection, ModelInfo, SelfTestRun } from '../../classifier/index.js';
import { isolated, language, megabytes, type Sentence, sentence } from '../../messages/index.js';
import { say } from '../../messages/trust.js';
import { type Measured, weaknessWords } from './weaknesses.js';

/** Nothing of a photo: neither name nor answer. */
export interface Facts {
  at: Date;
  /** Null while none is loaded. */
  model: ModelInfo | null;
  /** Null until the worker has answered. */
  inspection: Inspection | null;
  /** Why the worker did not answer. */
  failure: string | null;
  /** Whether a service worker answers for this page. */
  serviceWorker: boolean;
  /** Addresses; null: this browser does not record all. `photo` is absent while there is none. */
  requests: { load: readonly string[] | null; photo?: readonly string[] | null };
  /** Whether all that any photo needs is kept on this device. */
  kept: boolean;
  /** Undefined for a network that nobody has measured. */
  measured: Measured | undefined;
}

export interface Row {
  readonly term: string;
  readonly value: string;
  /** What was found of the value. */
  readonly mark?: { readonly good: boolean; readonly words: string };
}

export interface Part {
  readonly id: 'where' | 'network' | 'files' | 'test' | 'weak';
  readonly title: string;
  /** Before the list of `sentences`. */
  readonly lead?: Sentence;
  readonly sentences: readonly Sentence[];
  readonly rows: readonly Row[];
  /** A list that is folded away where it is drawn. */
  readonly folded?: { readonly title: string; readonly entries: readonly string[] };
}

const WHOLE = 2000;
const plain = (make: () => string): Sentence => sentence(make);

export const momentWords = (at: Date): string =>
  new Intl.DateTimeFormat(language().locale, { dateStyle: 'long', timeStyle: 'short' }).format(at);

const backendWords = (id: Inspection['backend']): string => say(`details.backends.${id}`);

/** In place of what only the worker knows. */
const missing = ({ model, failure }: Facts): string => {
  if (failure !== null) return say('trust.failed', { reason: isolated(failure, 300) });
  return say(model ? 'trust.coming' : 'trust.notLoaded');
};

function where(facts: Facts): Part {
  const { model, inspection, serviceWorker } = facts;
  const core = inspection?.files.find(({ part, name }) => part === 'engine' && name === 'dermlet.wasm');
  const rows: Row[] = [
    { term: say('trust.where.page'), value: say('trust.where.page.does') },
    ...(inspection
      ? [
          {
            term: say('trust.where.worker'),
            value: say('trust.where.worker.does', {
              how: say('details.backendThreads', {
                backend: backendWords(inspection.backend),
                threads: inspection.threads,
              }),
            }),
          },
        ]
      : []),
    ...(inspection?.fallback
      ? [
          {
            term: say('details.insteadOf'),
            value: say('details.fallback', {
              backend: backendWords(inspection.fallback.from),
              reason: isolated(inspection.fallback.reason, 300),
            }),
          },
        ]
      : []),
    {
      term: say('trust.where.service'),
      value: say(serviceWorker ? 'trust.where.service.keeps' : 'trust.where.service.none'),
    },
    ...(core
      ? [
          {
            term: say('trust.where.core'),
            value: say('trust.where.core.is', { sha256: isolated(core.sha256.slice(0, 12)) }),
          },
        ]
      : []),
    ...(inspection
      ? [{ term: say('trust.where.runtime'), value: isolated(`ONNX Runtime ${inspection.onnxRuntime}`) }]
      : []),
    ...(model
      ? [
          { term: say('trust.where.model'), value: isolated(`${model.name} ${model.version}`) },
          { term: say('details.sha256'), value: isolated(model.sha256) },
        ]
      : []),
  ];
  return {
    id: 'where',
    title: say('trust.where'),
    sentences: inspection ? [] : [plain(() => missing(facts))],
    rows,
  };
}

function network({ requests: { load, photo }, kept }: Facts): Part {
  const count = (term: string, made: readonly string[] | null | undefined): Row[] =>
    made ? [{ term, value: String(made.length) }] : [];
  const how = () => say(kept ? 'requests.disconnect' : 'requests.watch');
  if (!load)
    return {
      id: 'network',
      title: say('trust.network'),
      sentences: [plain(() => say('requests.unknown')), plain(how)],
      rows: [],
    };
  return {
    id: 'network',
    title: say('trust.network'),
    rows: [...count(say('trust.network.load'), load), ...count(say('requests.count'), photo)],
    sentences: [
      plain(() => say('requests.counted')),
      plain(() => say('trust.network.noDocument')),
      ...(load.length > 0 ? [plain(() => say('requests.listed'))] : []),
      plain(how),
    ],
    ...(load.length > 0 ? { folded: { title: say('trust.network.list'), entries: load } } : {}),
  };
}

function files({ inspection }: Facts): Part[] {
  if (!inspection || inspection.files.length === 0) return [];
  const rows = inspection.files.map(({ name, bytes, sha256, verified }) => ({
    term: say('details.fileSize', { format: isolated(name), size: megabytes(bytes) }),
    value: isolated(sha256),
    mark: { good: verified, words: say(verified ? 'trust.files.verified' : 'trust.files.unread') },
  }));
  return [{ id: 'files', title: say('trust.files'), sentences: [plain(() => say('trust.files.lead'))], rows }];
}

function testWords(run: SelfTestRun | null, inspection: Inspection): Sentence[] {
  const backend = backendWords((run ?? inspection).backend);
  if (!run) return [plain(() => say('trust.test.none', { backend }))];
  const { at, passed, measured } = run;
  const when = at === null ? '' : momentWords(new Date(at));
  const outcome = () => {
    if (!passed) return say('trust.test.failed', { when, backend });
    return at === null ? say('trust.test.before', { backend }) : say('trust.test.passed', { when, backend });
  };
  const short = (value: number) =>
    new Intl.NumberFormat(language().locale, { maximumSignificantDigits: 2 }).format(value);
  return [
    plain(outcome),
    ...(measured
      ? [
          plain(() =>
            say('trust.test.measured', {
              difference: short(measured.difference),
              tolerance: short(measured.tolerance),
            }),
          ),
        ]
      : []),
  ];
}

function test({ inspection }: Facts): Part[] {
  if (!inspection) return [];
  const sentences = [plain(() => say('trust.test.what')), ...testWords(inspection.selfTest, inspection)];
  return [{ id: 'test', title: say('trust.test'), sentences, rows: [] }];
}

function weak({ model, measured }: Facts): Part[] {
  if (!model) return [];
  const lead = measured ? { lead: plain(() => say('trust.weak.lead')) } : {};
  return [{ id: 'weak', title: say('trust.weak'), ...lead, sentences: weaknessWords(measured).map(plain), rows: [] }];
}

export const partsOf = (facts: Facts): Part[] => [
  where(facts),
  network(facts),
  ...files(facts),
  ...test(facts),
  ...weak(facts),
];

/** Without the marks that keep a stranger's words apart: they are for what is drawn. */
const unmarked = (text: string): string => text.replace(/[\u2068\u2069]/g, '');

/** The same as text for an e-mail or a note. */
export function textOf(facts: Facts): string {
  const heading = ['Dermlet', say('trust.made', { when: momentWords(facts.at) })];
  const parts = partsOf(facts).map(({ title, lead, sentences, rows, folded }) => [
    '',
    title,
    ...(lead ? [lead.text] : []),
    ...rows.map(({ term, value, mark }) => {
      const given = term.endsWith(':') || term.endsWith('：') ? `${term} ${value}` : `${term}: ${value}`;
      return `- ${given}${mark ? ` (${mark.words})` : ''}`;
    }),
    ...sentences.map(({ text }) => text),
    ...(folded?.entries.map((entry) => `  ${entry}`) ?? []),
  ]);
  return unmarked([...heading, ...parts.flat(), ''].join('\n'));
}

/** An address as a whole, apart from the words around it. */
export const addressWords = (address: string): string => isolated(address, WHOLE);
