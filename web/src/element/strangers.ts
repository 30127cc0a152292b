/** Words that are not the page's: a model's names and descriptions. */
import type { Result } from '../classifier/index.js';
import { categoryName } from '../messages/index.js';

/**
 * The result with its categories' names in the current language or, where it has none, marked for `html`, which sets
 * them apart from the sentence around them.
 */
export const withIsolated = (result: Result): Result => ({
  ...result,
  ranking: result.ranking.map((entry) => ({ ...entry, name: categoryName(entry) })),
});
