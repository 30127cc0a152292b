/** Text for results, stages and errors. No DOM, so that it can be tested by itself. */
import type {
  ErrorCode,
  Frame,
  LoadProgress,
  ModalityChoice,
  ModelSummary,
  QualityCheck,
  RankedClass,
  Result,
  Source,
  Stage,
  Tier,
} from '../classifier/index.js';
import { plainName } from './category.js';
import type { HeadArguments } from './compiled/keys.js';
import { exactPercent, isolated, list, megabytes, number, ofTotal, percent, wholePercent } from './format.js';
import { failedChecks, problem } from './quality.js';
import { type Say, say } from './say.js';

/** The classes of the prediction set, most probable first. */
export function likely(result: Result): RankedClass[] {
  return result.ranking.filter((entry) => entry.inSet);
}

const NAMED_AT_MOST = 4;
/**
 * Categories below this are not named: 'melanoma 98 %, but a mole (under 1 %) may also fit' would be read as a
 * contradiction.
 */
const WORTH_NAMING = 0.01;

/** A category with its score: in the brackets of its second name, where it has one. */
function scored(entry: RankedClass, once: 'verdict.named' | 'verdict.other'): string {
  const whole = plainName(entry);
  const score = percent(entry.probability);
  // A name that is set apart from the text around it ends with its mark.
  const [, mark, first, second] = /^(\u2068?)(.+?) \(([^()]+)\)\u2069?$/.exec(whole) ?? [];
  if (first === undefined || second === undefined) return say(once, { name: whole, score });
  const [name, also] = mark ? [isolated(first), isolated(second)] : [first, second];
  return say(once === 'verdict.named' ? 'verdict.namedTwice' : 'verdict.otherTwice', { name, also, score });
}

/** The rest of a prediction set, with scores. */
function others(entries: readonly RankedClass[]): string {
  const named = entries.filter(({ probability }) => probability >= WORTH_NAMING).slice(0, NAMED_AT_MOST - 1);
  const count = entries.length - named.length;
  const names = named.map((entry) => scored(entry, 'verdict.other'));
  if (names.length === 0) return say('verdict.otherOfLittleScore');
  return list(count > 0 ? [...names, say('verdict.moreOfLessScore', { count })] : names, 'or');
}

/** The result in one sentence. */
export function verdict(result: Result): string {
  switch (result.outcome) {
    case 'single': {
      const first = likely(result)[0] ?? result.ranking[0];
      return first ? say('verdict.single', { named: scored(first, 'verdict.named') }) : say('verdict.none');
    }
    case 'several': {
      const [first, ...rest] = likely(result);
      // More than half of the score is a lead, not a tie. The others follow in the order of the ranking: the core
      // leaves out nothing that scores more than a category named here.
      if (first && first.probability > 0.5)
        return say('verdict.ahead', { named: scored(first, 'verdict.named'), others: others(rest) });
      const names = likely(result).map(plainName);
      const count = names.length - NAMED_AT_MOST;
      const named = count > 0 ? [...names.slice(0, NAMED_AT_MOST), say('verdict.more', { count })] : names;
      return say('verdict.between', { names: list(named, 'and') });
    }
    case 'poor-quality':
      return say('verdict.poor-quality', { problems: list(failures(result.quality.checks), 'and') });
    default:
      return say(`verdict.${result.outcome}`);
  }
}

function failures(checks: readonly QualityCheck[]): string[] {
  const failed = failedChecks(checks);
  if (failed.length === 0) return [say('verdict.unusable')];
  return failed.map((check, index) =>
    say(index === 0 ? 'verdict.problem' : 'verdict.nextProblem', { problem: problem(check) }),
  );
}

/** The note under the verdict. */
export function verdictNote({ outcome, coverage, head }: Result): string {
  if (outcome === 'single' || outcome === 'several')
    return head
      ? ofHeads('head.own.sets', { share: wholePercent(coverage) })
      : say('verdict.note.named', { share: wholePercent(coverage) });
  return say(`verdict.note.${outcome}`);
}

/** For a result of a head: whoever uses one has its words (`messages/head.ts`) loaded before. */
const ofHeads = say as Say<HeadArguments>;

/** What to do about an answer in a head's categories, in place of the tier's words. */
export const ownNext = (): string => ofHeads('head.own.next');

/** Whose categories they are, where a head of somebody's own made the scores, and what it is worth; else empty. */
export function ownNote({ head }: Pick<Result, 'head'>): string {
  if (!head) return '';
  return ofHeads('head.own.note', {
    title: isolated(head.title),
    pictures: number(head.pictures),
    accuracy: exactPercent(head.accuracy),
    least: exactPercent(head.interval[0]),
    most: exactPercent(head.interval[1]),
  });
}

/** How to take a picture that the network can work with. */
export const betterPicture = (): string[] => [
  say('better.light'),
  say('better.still'),
  say('better.size'),
  say('better.original'),
];

/** What decoded the picture, and whether the pixels are the same everywhere. */
export const decodedBy = ({ decodePath }: Pick<Source, 'decodePath'>): string => say(`details.decoded.${decodePath}`);

export interface TierWords {
  title: string;
  /** For a thumbnail. */
  short: string;
  /** What to do, and how soon. */
  next: string;
  /** Empty where nothing can be said. */
  why: string;
}

export const tierWords = (tier: Tier): TierWords => ({
  title: say(`tier.${tier}.title`),
  short: say(`tier.${tier}.short`),
  next: say(`tier.${tier}.next`),
  why: tier === 'unknown' ? '' : say(`tier.${tier}.why`),
});

export interface ModalityWords {
  name: string;
  hint: string;
}

/** A modality without a message is shown by its id. */
export function modalityWords(id: string): ModalityWords {
  switch (id) {
    case 'photo':
    case 'dermoscopy':
      return { name: say(`modality.${id}.name`), hint: say(`modality.${id}.hint`) };
    default:
      return { name: id, hint: '' };
  }
}

/** The option to recognise the modality, with what was recognised for the selected photo. */
export function recognisedWords(choice: ModalityChoice | null): ModalityWords {
  const recognised = choice?.recognised;
  const hint = recognised
    ? say('modality.byPicture.looks', { name: modalityWords(recognised.modality).name })
    : say('modality.byPicture.tells');
  return { name: say('modality.byPicture.name'), hint };
}

/** Probability from which another recognised modality questions the person's choice. */
const SURE = 0.9;

/** Set when the person's choice contradicts the picture; else empty. */
export function modalityDoubt({
  modality,
  modalityChoice: { by, recognised },
}: Pick<Result, 'modality' | 'modalityChoice'>): string {
  if (by !== 'caller' || !recognised || recognised.modality === modality || recognised.probability < SURE) return '';
  return say('modality.doubt', {
    chosen: modalityWords(modality).name,
    looks: modalityWords(recognised.modality).name,
    score: percent(recognised.probability),
  });
}

/** Which part of the picture the network saw; empty if all of it. */
export function framingWords({ framing, spots }: Frame): string {
  switch (framing) {
    case 'spot':
      return say(spots.length > 1 ? 'framing.oneOfSpots' : 'framing.spot');
    case 'chosen':
    case 'both':
      return say(`framing.${framing}`);
    case 'whole':
    case 'none':
    case 'several':
      return '';
  }
}

export interface ModelWords {
  knows: string;
  licence: string;
  download: string;
}

/** What a person needs to choose a network. */
export function modelWords({
  classes,
  license,
  bytes,
  kept,
}: Pick<ModelSummary, 'classes' | 'license' | 'bytes' | 'kept'>): ModelWords {
  return {
    knows: say('model.knows', { count: classes }),
    licence: say(license.nonCommercial ? 'model.nonCommercial' : 'model.commercial', { licence: license.id }),
    download: say(kept ? 'model.kept' : 'model.download', { size: megabytes(bytes) }),
  };
}

export const stageWords = (stage: Stage): string => say(`stage.${stage}`);

/** The stages that every photo goes through, in order. */
export const STAGES: readonly Stage[] = ['decoding', 'analysing', 'explaining'];

/** Whether something still comes over the network. */
export const isComing = (progress: LoadProgress | null): boolean =>
  progress?.all !== undefined && progress.all.loaded < progress.all.total;

export function loadWords(progress: LoadProgress | null): string {
  if (!progress) return say('load.ready');
  const { phase, cached, all } = progress;
  if (phase === 'self-test') return say('load.selfTest');
  if (all && isComing(progress)) return say('load.progress', ofTotal(all.loaded, all.total));
  // Downloaded; now compiling.
  return cached ? say(`load.${phase}.kept`) : say('load.ready');
}

/** @param seconds as `TimeLeft` rounds them */
export function timeLeftWords(seconds: number): string {
  if (seconds <= 5) return say('load.left.few');
  if (seconds <= 60) return say('load.left.seconds', { count: seconds });
  return say('load.left.minutes', { count: Math.round(seconds / 60) });
}

export interface ErrorWords {
  title: string;
  help: string;
}

/** What went wrong and what to do, for each error code. */
export function errorWords(code: ErrorCode, about: 'photo' | 'model' | 'head' = 'photo'): ErrorWords {
  if (code === 'INVALID_ARGUMENT' && about === 'head')
    return { title: ofHeads('head.other.title'), help: ofHeads('head.other.help') };
  const key = code === 'INVALID_ARGUMENT' && about === 'model' ? 'noSuchModel' : code;
  return { title: say(`error.${key}.title`), help: say(`error.${key}.help`) };
}
