/** Which photos may be scored together, and a closer look as the session takes it. No DOM. */
import type { ModelInfo, Outcome } from '../../classifier/index.js';
import { say } from '../../messages/closer.js';
import { isolated, joined } from '../../messages/index.js';
import type { Closer, Other, Photo } from '../session.js';

/** Of each of these a picture is usable: the others name a spot that is not there, or a picture that is too poor. */
const USABLE: ReadonlySet<Outcome> = new Set(['single', 'several', 'not-recognised']);

/** The modality that a photo by itself was scored as; null where it cannot be scored together with another. */
function scoredAs({ state }: Pick<Photo, 'state'>): string | null {
  return state.kind === 'done' && USABLE.has(state.result.outcome) ? state.result.modality : null;
}

/** Two of one modality, or of the two that the model joins; both usable. */
export function mayJoin(
  a: Pick<Photo, 'state'>,
  b: Pick<Photo, 'state'>,
  { combines }: Pick<ModelInfo, 'combines'>,
): boolean {
  const [first, second] = [scoredAs(a), scoredAs(b)];
  if (first === null || second === null) return false;
  return first === second || ((combines?.includes(first) && combines.includes(second)) ?? false);
}

/** Null: a plain look. */
export function closerOf(thorough: boolean, other: Other | null): Closer | null {
  if (!thorough && !other) return null;
  return {
    thorough,
    other: other && { name: other.name, file: other.file, modality: other.modality, crop: other.crop },
    words: (name) =>
      joined([
        ...(other
          ? [
              name === null
                ? say('closer.together.isUnnamed')
                : say('closer.together.is', { first: isolated(name), second: isolated(other.name) }),
            ]
          : []),
        ...(thorough ? [say('closer.thorough.is')] : []),
      ]),
  };
}
