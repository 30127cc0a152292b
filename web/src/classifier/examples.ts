/** What labelled pictures become examples of; the page and the command line ask it alike. */
import type { Result } from './result.js';

/** Whether one spot shows well enough: a picture of which this does not hold gets no class later either. */
export const showsOne = ({ quality, frame }: Pick<Result, 'quality' | 'frame'>): boolean =>
  quality.usable && frame.framing !== 'none' && frame.framing !== 'several';

/** A class's id made of a name: small letters a to z, digits, hyphens. Empty where the name has none of them. */
export const classIdOf = (name: string): string =>
  name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9_]+/g, '-')
    .replace(/^[-_]+|-+$/g, '')
    .slice(0, 32);
