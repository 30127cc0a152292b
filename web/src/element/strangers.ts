/** Words that are not the page's: a model's names and descriptions. */
import type { Result } from '../classifier/index.js';
import { isolated } from '../messages/index.js';

/** The result with its categories' names marked for `html`, which sets them apart from the sentence around them. */
export const withIsolated = (result: Result): Result => ({
  ...result,
  ranking: result.ranking.map((entry) => ({ ...entry, name: isolated(entry.name) })),
});
