/** What is told once all photos were looked at: how many of each tier or state. */
import { list, number } from '../../messages/index.js';
import { say } from '../../messages/review.js';
import type { Photo } from '../session.js';
import { isTier, KINDS, kindOf } from './order.js';

export function finishedWords(photos: readonly Pick<Photo, 'state' | 'said'>[]): string {
  const parts = KINDS.flatMap((kind) => {
    const count = photos.filter((photo) => kindOf(photo) === kind).length;
    const words = isTier(kind) ? say(`review.part.${kind}`) : say(`review.kind.${kind}`);
    return count > 0 ? [say('review.part', { count: number(count), kind: words })] : [];
  });
  return say('review.finished', { count: photos.length, parts: list(parts, 'and') });
}
