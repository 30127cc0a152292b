/**
 * What is on the page for a doctor, as plain data: the printed page, its preview and the PDF are all made from it. It
 * holds no name of a file and nothing of what a camera wrote into it.
 */
import type { Rect, Result, Tier } from '../../classifier/index.js';
import {
  categoryName,
  checkWords,
  doctor,
  isolated,
  type Language,
  language,
  mayName,
  modalityDoubt,
  modalityWords,
  modelTitle,
  number,
  ownNext,
  ownNote,
  percent,
  purpose,
  type Sentence,
  sentence,
  tierWords,
  verdict,
  verdictNote,
} from '../../messages/index.js';
import { say } from '../../messages/report.js';
import { partSeen, showsRegion } from '../region.js';
import { withIsolated } from '../strangers.js';
import type { Subject } from '../tools.js';

export interface Entry {
  readonly name: string;
  readonly score: string;
  /** 0..1 */
  readonly share: number;
  /** Marks a category of the prediction set; else null. */
  readonly mark: Sentence | null;
}

export interface Section {
  readonly id: 'quality' | 'picture' | 'network';
  readonly title: string;
  readonly rows: readonly (readonly [term: string, value: string])[];
}

export interface Report {
  readonly language: Language;
  readonly title: string;
  readonly when: string;
  readonly verdict: Sentence;
  /** Doubts and why nothing is named, if so. */
  readonly notes: readonly Sentence[];
  /** What to do: as the network's tier says or, where a person's answers ask for more, as they do. */
  readonly tier: {
    readonly id: Tier;
    readonly title: Sentence;
    readonly next: Sentence;
    readonly why: Sentence | null;
  };
  readonly doctor: Sentence;
  readonly picture: {
    readonly alt: string;
    /** Of the upright photo, pixels. */
    readonly width: number;
    readonly height: number;
    /** What the network saw; null: all of it, or a refused photo's, which the refusal is not about. */
    readonly region: Rect | null;
    readonly caption: string;
  };
  /** Null where no category may be named. */
  readonly scores: {
    readonly title: string;
    readonly entries: readonly Entry[];
    /** What the list leaves out. */
    readonly rest: Sentence | null;
  } | null;
  readonly sections: readonly Section[];
  readonly limits: { readonly title: string; readonly sentences: readonly Sentence[] };
  readonly made: Sentence;
}

/** Categories on the page. */
const MOST = 12;

/** Date and time on the device's clock, with its distance from that of Greenwich. */
const moment = (at: Date): string =>
  new Intl.DateTimeFormat(language().locale, {
    year: 'numeric',
    month: 'long',
    day: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    timeZoneName: 'longOffset',
  }).format(at);

function scoresOf({ ranking }: Result): Report['scores'] {
  const left = ranking.slice(MOST);
  const count = left.length;
  const possible = left.some(({ inSet }) => inSet);
  return {
    title: say('report.scores'),
    entries: ranking.slice(0, MOST).map((entry) => ({
      name: categoryName(entry),
      score: percent(entry.probability),
      share: entry.probability,
      mark: entry.inSet ? sentence(() => say('ranking.possible')) : null,
    })),
    rest: count === 0 ? null : sentence(() => say(possible ? 'report.restPossible' : 'report.rest', { count })),
  };
}

function sectionsOf(result: Result): Section[] {
  const { model, source, modality, modalityChoice, frame, testTimeAugmentation } = result;
  const { region } = source;
  const quality = result.quality.checks.map((check): readonly [string, string] => {
    const { name, value } = checkWords(check);
    return [name, say(check.passed ? 'report.passed' : 'report.notPassed', { value })];
  });
  return [
    { id: 'quality', title: say('report.quality'), rows: quality },
    {
      id: 'picture',
      title: say('report.picture'),
      rows: [
        [say('details.size'), say('details.pixels', { width: number(source.width), height: number(source.height) })],
        [
          say('details.seen'),
          say('details.region', {
            width: number(region.width),
            height: number(region.height),
            x: number(region.x),
            y: number(region.y),
          }),
        ],
        [say('details.framing'), say(`details.framings.${frame.framing}`)],
        [
          say('details.takenAs'),
          say('details.modality', {
            name: modalityWords(modality).name,
            by: say(`details.modalityBy.${modalityChoice.by}`),
          }),
        ],
      ],
    },
    {
      id: 'network',
      title: say('report.network'),
      rows: [
        [say('details.name'), isolated(model.name)],
        [say('report.version'), isolated(model.version)],
        [say('details.knows'), modelTitle(model)],
        [say('report.views'), say(testTimeAugmentation ? 'report.manyViews' : 'report.oneView')],
        [say('details.sha256'), model.sha256],
      ],
    },
  ];
}

/** When the answer came. */
export const momentOf = ({ photo }: Pick<Subject, 'photo'>): Date =>
  new Date(photo.state.kind === 'done' ? photo.state.at : Number.NaN);

export function reportOf(subject: Pick<Subject, 'photo' | 'result'>): Report {
  const { result } = subject;
  const { source, frame } = result;
  const { width, height } = source;
  const named = mayName(result);
  const region = partSeen(result)?.region ?? null;
  const { state } = subject.photo;
  const closer = state.kind === 'done' ? state.seen.closer : null;
  const raised = subject.photo.said?.raised(result.tier) ?? null;
  const tier = raised?.tier ?? result.tier;
  const { why } = tierWords(tier);
  return {
    language: language(),
    title: say('report.title'),
    when: say('report.when', { when: moment(momentOf(subject)) }),
    verdict: sentence(() => verdict(withIsolated(result))),
    notes: [
      ...(named ? [] : [sentence(() => verdictNote(result))]),
      ...(result.head ? [sentence(() => ownNote(result))] : []),
      ...(closer ? [sentence(() => closer.words(null))] : []),
      ...(modalityDoubt(result) ? [sentence(() => modalityDoubt(result))] : []),
    ],
    tier: {
      id: tier,
      title: sentence(() => raised?.title() ?? tierWords(tier).title),
      next: sentence(() => (result.head ? ownNext() : tierWords(tier).next)),
      why: raised
        ? sentence(() => say('format.sentences', { first: raised.because(), second: raised.network() }))
        : why
          ? sentence(() => tierWords(tier).why)
          : null,
    },
    doctor: sentence(doctor),
    picture: {
      alt: say('report.photo'),
      width,
      height,
      region,
      caption: showsRegion(result)
        ? say(!region ? 'report.wholeSeen' : frame.framing === 'both' ? 'report.frameToo' : 'report.frame')
        : '',
    },
    scores: named ? scoresOf(result) : null,
    sections: sectionsOf(result),
    limits: {
      title: say('report.limits'),
      sentences: [
        sentence(purpose),
        ...(named ? [sentence(() => verdictNote(result))] : []),
        sentence(() => say('ranking.whose')),
      ],
    },
    made: sentence(() => say('report.made')),
  };
}
