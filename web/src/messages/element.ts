/**
 * Every sentence that people read about a result, a stage or an error. No DOM: what is said can be tested as it stands.
 */
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
import { failedChecks, problem } from './quality.js';

const NBSP = '\u00a0';

/** `0.834` -> `83 %`. The ends are named, not rounded to certainty: no network is 0 % or 100 % sure. */
export function percent(share: number): string {
  if (share > 0.99) return `over 99${NBSP}%`;
  if (share < 0.01) return `under 1${NBSP}%`;
  return `${Math.round(share * 100)}${NBSP}%`;
}

/** Bytes -> `3.2 MB` (decimal megabytes, as browsers' download lists count). */
export function megabytes(bytes: number): string {
  return bytes < 100_000
    ? `${Math.max(1, Math.round(bytes / 1000))}${NBSP}kB`
    : `${(bytes / 1_000_000).toFixed(1)}${NBSP}MB`;
}

export function milliseconds(value: number): string {
  return value < 10 ? `${value.toFixed(1)}${NBSP}ms` : `${Math.round(value)}${NBSP}ms`;
}

function listed(names: readonly string[], conjunction: 'and' | 'or'): string {
  if (names.length < 2) return names.join('');
  return `${names.slice(0, -1).join(', ')} ${conjunction} ${names.at(-1)}`;
}

/** The classes of the prediction set, most probable first: the first few of the ranking. */
export function likely(result: Result): RankedClass[] {
  return result.ranking.filter((entry) => entry.inSet);
}

/** Whether a category may be named as an answer. */
export function mayName(result: Result): boolean {
  return result.outcome === 'single' || result.outcome === 'several';
}

const NAMED_AT_MOST = 4;
/**
 * Of less than this no name is called: 'melanoma 98 %, but a mole (under 1 %) may also fit' would be read as a
 * contradiction.
 */
const WORTH_NAMING = 0.01;

/** What follows the first of a set, by name and score. */
function others(entries: readonly RankedClass[]): string {
  const shown = entries.filter(({ probability }) => probability >= WORTH_NAMING).slice(0, NAMED_AT_MOST - 1);
  const more = entries.length - shown.length;
  const names = shown.map(({ name, probability }) => `${name} (${percent(probability)})`);
  if (names.length === 0) return 'another of little score';
  return listed(more > 0 ? [...names, `${more} more of less score`] : names, 'or');
}

/** The one sentence: what the picture looks most like, and how sure that is. */
export function verdict(result: Result): string {
  switch (result.outcome) {
    case 'single': {
      const first = likely(result)[0] ?? result.ranking[0];
      return first ? `Looks most like ${first.name} (score ${percent(first.probability)}).` : 'No category is named.';
    }
    case 'several': {
      const [first, ...rest] = likely(result);
      // With more than half of the score one is ahead, and to call that a tie would be untrue. What may also fit is
      // what comes next in the ranking: the core leaves nothing out that scores more than something named here.
      if (first && first.probability > 0.5)
        return `Looks most like ${first.name} (score ${percent(first.probability)}), but ${others(rest)} may also fit.`;
      const names = likely(result).map((entry) => entry.name);
      const more = names.length - NAMED_AT_MOST;
      const shown = more > 0 ? [...names.slice(0, NAMED_AT_MOST), `${more} more`] : names;
      return `Between ${listed(shown, 'and')}: the network cannot tell these apart here.`;
    }
    case 'not-recognised':
      return 'This does not look like any of the pictures the network was trained on, so no category is named.';
    case 'no-spot':
      return 'No spot stands out in this picture, so no category is named.';
    case 'several-spots':
      return 'More than one spot stands out in this picture, so no category is named yet.';
    case 'poor-quality':
      return `${listed(failures(result.quality.checks), 'and')}, so no category is named.`;
  }
}

function failures(checks: readonly QualityCheck[]): string[] {
  const failed = failedChecks(checks);
  if (failed.length === 0) return ['This picture is not usable'];
  return failed.map((check, index) => `${index === 0 ? 'This picture' : 'it'} ${problem(check)}`);
}

/** What stands under the verdict; empty when nothing needs to be added. */
export function verdictNote(result: Result): string {
  const share = `${Math.round(result.coverage * 100)}${NBSP}%`;
  switch (result.outcome) {
    case 'single':
    case 'several':
      return (
        `Sets of marked categories hold the true one for about ${share} of pictures like those the network was ` +
        'calibrated on, and miss it for the rest.'
      );
    case 'not-recognised':
      return (
        'The network only knows the categories it was trained on. Anything else is unknown to it: healthy skin, ' +
        'and every condition that is none of them.'
      );
    case 'no-spot':
      return (
        'Take the photo closer, so that the spot fills about a third of it, or have the whole picture scored as ' +
        'it is.'
      );
    case 'several-spots':
      return 'Choose the one that you mean in the picture. Each spot needs an answer of its own.';
    case 'poor-quality':
      return 'A score for a picture like this would mean nothing.';
  }
}

/** How to take a picture that the network can work with. */
export const BETTER_PICTURE: readonly string[] = [
  'Use daylight or an even lamp, without flash or hard shadows.',
  'Hold the camera still, straight above the skin, and tap the picture to focus.',
  'Let what you ask about fill about a third of the picture, with some skin around it.',
  'Use the original photo, not a screenshot or a picture from a chat.',
];

/** Who decoded the picture, and how far that is the same everywhere. */
export function decodedBy({ decodePath }: Pick<Source, 'decodePath'>): string {
  switch (decodePath) {
    case 'core':
      return 'core, the same bit for bit in every browser';
    case 'webcodecs':
    case 'canvas':
      return `the browser (${decodePath}): may differ slightly between browsers`;
    case 'libheif':
      return 'libheif: may differ slightly from other decoders';
    case 'caller':
      return 'whoever gave the pixels: may differ from those of the file';
  }
}

export interface TierWords {
  title: string;
  next: string;
}

export function tierWords(tier: Tier): TierWords {
  switch (tier) {
    case 'high':
      return {
        title: 'High concern',
        next:
          'The categories that a doctor should look at soon have much of the score here, taken together. Arrange ' +
          'an appointment soon, with a dermatologist if you can, and show them the skin itself.',
      };
    case 'moderate':
      return {
        title: 'Moderate concern',
        next:
          'The categories that a doctor should look at have too much of the score here to be put aside. Arrange ' +
          'an appointment, sooner if it changes, spreads, hurts or bleeds.',
      };
    case 'low':
      return {
        title: 'Low concern, which is not an all-clear',
        next:
          'The categories that a doctor should look at have little of the score here, taken together, but ' +
          'networks miss things, serious ones included. Keep watching, and have it looked at if it changes, ' +
          'spreads, does not heal or is unlike all others on the skin.',
      };
    case 'unknown':
      return {
        title: 'Concern cannot be judged here',
        next: 'This page can say nothing about this picture, neither for nor against. Go by the skin itself.',
      };
  }
}

export interface ModalityWords {
  name: string;
  hint: string;
}

/** A model may bring modalities that this page has no words for: its own id is shown then. */
export function modalityWords(id: string): ModalityWords {
  switch (id) {
    case 'photo':
      return { name: 'Close-up photo', hint: 'taken with a phone or camera' };
    case 'dermoscopy':
      return { name: 'Dermoscopy', hint: 'taken through a dermatoscope, a lit magnifier for skin' };
    default:
      return { name: id, hint: '' };
  }
}

/** The choice to go by the picture, and what that came to for the one that is shown. */
export function recognisedWords(choice: ModalityChoice | null): ModalityWords {
  const recognised = choice?.recognised;
  const hint = recognised
    ? `this one looks like: ${modalityWords(recognised.modality).name}`
    : 'the page tells by the picture itself';
  return { name: 'As it looks', hint };
}

/** How surely a picture must look like another modality before a person's own choice is questioned. */
const SURE = 0.9;

/** Where a person's choice and the picture disagree; empty where they do not. */
export function modalityDoubt({
  modality,
  modalityChoice: { by, recognised },
}: Pick<Result, 'modality' | 'modalityChoice'>): string {
  if (by !== 'caller' || !recognised || recognised.modality === modality || recognised.probability < SURE) return '';
  const [chosen, looks] = [modalityWords(modality).name, modalityWords(recognised.modality).name];
  return (
    `You chose “${chosen}”, but this picture looks like “${looks}” (score ${percent(recognised.probability)}). ` +
    'If that is what it is, choose it: scores are read differently for each.'
  );
}

/** What the network was shown of the picture; empty where that is the picture as it is. */
export function framingWords({ framing, spots }: Frame): string {
  switch (framing) {
    case 'spot':
      return spots.length > 1
        ? 'The spot that stands out most was found and looked at closely: what lies inside the frame. Choose ' +
            'another spot, or the whole picture, if that is not the one.'
        : 'The spot was found and looked at closely: what lies inside the frame.';
    case 'chosen':
      return 'The network saw what lies inside the frame that was chosen.';
    case 'both':
      return (
        'The network saw the picture as it is and, closely, the spot that was found in it. The score is the mean ' +
        'of both.'
      );
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

/** What a person needs to choose one network of several. */
export function modelWords({
  classes,
  license,
  bytes,
  kept,
}: Pick<ModelSummary, 'classes' | 'license' | 'bytes' | 'kept'>): ModelWords {
  return {
    knows: `${classes} categories`,
    licence: license.nonCommercial
      ? `For non-commercial use only (${license.id})`
      : `For commercial use too (${license.id})`,
    download: kept ? `Kept on this device (${megabytes(bytes)})` : `${megabytes(bytes)} to download once`,
  };
}

export function stageWords(stage: Stage): string {
  switch (stage) {
    case 'queued':
      return 'Waiting for the photo before it';
    case 'starting':
      return 'Starting the engine';
    case 'decoding':
      return 'Reading the picture';
    case 'analysing':
      return 'Running the neural network';
    case 'explaining':
      return 'Drawing the heat map';
    case 'done':
      return 'Done';
  }
}

/** The stages that every photo goes through, in order. */
export const STAGES: readonly Stage[] = ['decoding', 'analysing', 'explaining'];

export function loadWords(progress: LoadProgress | null): string {
  if (!progress) return 'Getting ready';
  // The bytes are there; what remains is compiling them, and the first byte of what comes next.
  if (progress.phase === 'engine' && progress.total > 0 && progress.loaded >= progress.total) return 'Getting ready';
  const amount = progress.total > 0 ? ` ${megabytes(progress.loaded)} of ${megabytes(progress.total)}` : '';
  switch (progress.phase) {
    case 'engine':
      return progress.cached ? 'Opening the engine kept on this device' : `Downloading the engine:${amount}`;
    case 'model':
      return progress.cached
        ? 'Opening the neural network kept on this device'
        : `Downloading the neural network:${amount}`;
    case 'self-test':
      return 'Checking the neural network against its reference';
  }
}

export interface ErrorWords {
  title: string;
  help: string;
}

export function errorWords(code: ErrorCode, about: 'photo' | 'model' = 'photo'): ErrorWords {
  switch (code) {
    case 'UNSUPPORTED_FORMAT':
      return {
        title: 'This file cannot be read here.',
        help:
          'JPEG, PNG and BMP pictures can, WebP, AVIF and HEIC in most browsers. Most phones and picture ' +
          'programs can save or share a photo as JPEG.',
      };
    case 'CORRUPT_IMAGE':
      return {
        title: 'This picture is broken or cut off.',
        help: 'Part of the file is missing or damaged. Try the original file, or take the photo again.',
      };
    case 'IMAGE_TOO_LARGE':
      return {
        title: 'This picture is too large.',
        help: 'Use a smaller version, or cut out the part that you ask about.',
      };
    case 'INVALID_ARGUMENT':
      if (about === 'model') {
        return {
          title: 'This page asks for a neural network that is not here.',
          help: 'Nothing was downloaded for it. Whoever made the page can put its name right.',
        };
      }
      return {
        title: 'This request makes no sense to the engine.',
        help: 'Choose the photo again. If that does not help, please report it with the code below.',
      };
    case 'MODEL_UNAVAILABLE':
      return {
        title: 'The neural network could not be downloaded.',
        help: 'Check the connection, then try again. Once downloaded it is kept on this device and works offline.',
      };
    case 'MODEL_CORRUPT':
      return {
        title: 'The downloaded neural network is not what was published.',
        help: 'It was not used. Try again; if it happens twice, something between you and this site changes its files.',
      };
    case 'BACKEND_FAILED':
      return {
        title: 'The neural network could not be run in this browser.',
        help: 'Close other tabs and try again, or use a current version of Chrome, Edge, Firefox or Safari.',
      };
    case 'ABORTED':
      return { title: 'Cancelled.', help: 'Nothing was kept of this run.' };
    case 'DISPOSED':
      return { title: 'The engine was shut down.', help: 'Load this page again to go on.' };
  }
}
