/** What a network is known to do badly, in sentences made of the figures that were measured. */
import { exactPercent, number } from '../../messages/index.js';
import { say } from '../../messages/trust.js';

/** Shares are 0 to 1; accuracies are balanced: means over the categories. */
export interface Measured {
  name: string;
  version: string;
  skin: {
    /** Lesions or patients whose skin tone is stated, and those of them with dark skin. */
    lesions: number;
    dark: number;
    /** Whether those are too few to say anything. */
    few: boolean;
    /** Of the tones with enough lesions to measure. */
    darkest?: Tone | undefined;
    lightest?: Tone | undefined;
  };
  modalities?: { photo: Scored; dermoscopy: Scored };
  /** Pictures of malignant lesions, and how many of them got a tier that is not high. */
  malignant: { pictures: number; low: number; moderate: number };
  /** Photos made this small (pixels, the shorter side) lost this much accuracy. */
  small?: { side: number; lost: number; pictures: number };
  /** Photos without one spot that stands out. */
  unframed?: { pictures: number; share: number };
  /** Pictures of conditions that it has no category for, and the share for which it named none. */
  others?: { pictures: number; unnamed: number };
}

interface Scored {
  lesions: number;
  accuracy: number;
}

interface Tone extends Scored {
  /** Scale and value, such as `Fitzpatrick 2`. */
  tone: string;
}

/** What makes each sentence; `measured` is undefined for a network that nobody has measured. */
export function weaknessWords(measured: Measured | undefined): (() => string)[] {
  if (!measured) return [() => say('trust.weak.unknown')];
  const { skin, modalities, malignant, small, unframed, others } = measured;
  const dark = { count: skin.lesions, dark: number(skin.dark) };
  const scored = modalities && {
    photo: exactPercent(modalities.photo.accuracy),
    photoCount: number(modalities.photo.lesions),
    dermoscopy: exactPercent(modalities.dermoscopy.accuracy),
    dermoscopyCount: number(modalities.dermoscopy.lesions),
  };
  const { darkest, lightest } = skin;
  return [
    () => (skin.few ? say('trust.weak.dark.few', dark) : say('trust.weak.dark', dark)),
    ...(darkest && lightest ? [() => tonesWords(darkest, lightest)] : []),
    ...(scored
      ? [
          () =>
            modalities.photo.accuracy < modalities.dermoscopy.accuracy
              ? say('trust.weak.photos', scored)
              : say('trust.weak.modalities', scored),
        ]
      : []),
    () =>
      say('trust.weak.malignant', {
        count: malignant.pictures,
        low: number(malignant.low),
        moderate: number(malignant.moderate),
      }),
    ...(small
      ? [
          () =>
            say('trust.weak.small', {
              side: number(small.side),
              lost: number(small.lost * 100),
              count: small.pictures,
            }),
        ]
      : []),
    ...(unframed
      ? [() => say('trust.weak.unframed', { share: exactPercent(unframed.share), count: unframed.pictures })]
      : []),
    ...(others
      ? [() => say('trust.weak.others', { unnamed: exactPercent(others.unnamed), count: others.pictures })]
      : []),
  ];
}

const tonesWords = (darkest: Tone, lightest: Tone): string =>
  say('trust.weak.tones', {
    darkest: darkest.tone,
    dark: exactPercent(darkest.accuracy),
    darkCount: number(darkest.lesions),
    lightest: lightest.tone,
    light: exactPercent(lightest.accuracy),
    lightCount: number(lightest.lesions),
  });
