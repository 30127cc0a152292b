/** The words of places, errors and dates; each key stands here in full, so that none is lost. */
import type { Result } from '../../classifier/index.js';
import { categoryName, language, modelTitle, percent } from '../../messages/index.js';
import { say } from '../../messages/spots.js';
import type { Answers } from '../questions/advice.js';
import { ageWords, placeWords as partWords, saidWords } from '../questions/words.js';
import { type BodyPlace, nearest, type Part } from './body.js';
import type { Place, Visit } from './entries.js';
import type { SpotsCode } from './error.js';

const PART: Readonly<Record<Part, () => string>> = {
  face: () => say('spots.part.face'),
  head: () => say('spots.part.head'),
  neck: () => say('spots.part.neck'),
  chest: () => say('spots.part.chest'),
  belly: () => say('spots.part.belly'),
  hips: () => say('spots.part.hips'),
  upperBack: () => say('spots.part.upperBack'),
  lowerBack: () => say('spots.part.lowerBack'),
  buttocks: () => say('spots.part.buttocks'),
  upperArm: () => say('spots.part.upperArm'),
  forearm: () => say('spots.part.forearm'),
  hand: () => say('spots.part.hand'),
  thigh: () => say('spots.part.thigh'),
  lowerLeg: () => say('spots.part.lowerLeg'),
  foot: () => say('spots.part.foot'),
};

const ERROR: Readonly<Record<SpotsCode, () => string>> = {
  NO_STORAGE: () => say('spots.error.NO_STORAGE'),
  INSECURE: () => say('spots.error.INSECURE'),
  FULL: () => say('spots.error.FULL'),
  BLOCKED: () => say('spots.error.BLOCKED'),
  NEWER: () => say('spots.error.NEWER'),
  FAILED: () => say('spots.error.FAILED'),
  LOCKED: () => say('spots.error.LOCKED'),
  WRONG_PASSPHRASE: () => say('spots.error.WRONG_PASSPHRASE'),
  SHORT_PASSPHRASE: () => say('spots.error.SHORT_PASSPHRASE'),
  DAMAGED: () => say('spots.error.DAMAGED'),
  GONE: () => say('spots.error.GONE'),
  NOT_OURS: () => say('spots.error.NOT_OURS'),
  NEWER_FILE: () => say('spots.error.NEWER_FILE'),
  FILE_TOO_LARGE: () => say('spots.error.FILE_TOO_LARGE'),
  UNREADABLE_FILE: () => say('spots.error.UNREADABLE_FILE'),
  TOO_MUCH: () => say('spots.error.TOO_MUCH'),
  NO_PICTURE: () => say('spots.error.NO_PICTURE'),
};

export const spotsErrorWords = (code: SpotsCode): string => ERROR[code]();

export function bodyWords({ part, hand }: BodyPlace): string {
  const words = PART[part]();
  return hand ? say(hand === 'left' ? 'spots.left' : 'spots.right', { part: words }) : words;
}

export const sideWords = (side: Place['side']): string => say(side === 'front' ? 'spots.front' : 'spots.behind');

export const placeWords = (place: Place | null): string =>
  place ? `${bodyWords(nearest(place))} (${sideWords(place.side)})` : '';

/** All that was answered. */
export const answersWords = ({ signs, age, place }: Answers): string =>
  [...signs.map((sign) => saidWords(sign)), ...(place ? [partWords(place)] : []), ...(age ? [ageWords(age)] : [])].join(
    '; ',
  );

/** @param at milliseconds since 1970 */
export const dayWords = (at: number): string =>
  new Intl.DateTimeFormat(language().locale, { dateStyle: 'long' }).format(at);

/** @param to what the time is given, seconds where minutes tell nothing apart */
export const momentWords = (at: number, to: 'minutes' | 'seconds' = 'minutes'): string =>
  new Intl.DateTimeFormat(language().locale, {
    dateStyle: 'long',
    timeStyle: to === 'minutes' ? 'short' : 'medium',
  }).format(at);

/** What was kept of a result is all that was there but pixels (`entries.ts` checks the rest). */
export const resultOf = ({ result }: Visit): Result => result as unknown as Result;

export const networkWords = ({ result: { model } }: Visit): string =>
  say('spots.network', { title: modelTitle(model), version: model.version });

/** The first three, with their scores. */
export const scoresOf = (visit: Visit): readonly { name: string; score: string }[] =>
  resultOf(visit)
    .ranking.slice(0, 3)
    .map((entry) => ({ name: categoryName(entry), score: percent(entry.probability) }));
