/** What the network saw of a photo. */
import type { Result, Source } from '../classifier/index.js';
import { mayName } from '../messages/index.js';

/** Whether it is shown: of a refused photo only what a person framed, as the refusal is about no other part. */
export const showsRegion = (result: Result): boolean => mayName(result) || result.frame.framing === 'chosen';

/** With the region that was seen; null where it is not shown, or is all of the photo. */
export function partSeen(result: Result): Source | null {
  const { region, width, height } = result.source;
  return !showsRegion(result) || (region.width >= width && region.height >= height) ? null : result.source;
}
