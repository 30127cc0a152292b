/**
 * Words of the models' manifests: names and descriptions of categories, titles. Other languages have translations of
 * those of the shipped models; those of another maker's model stay as they are.
 */
import type { RankedClass } from '../classifier/index.js';
import { isolated } from './format.js';
import { translationOf } from './say.js';

type Category = Pick<RankedClass, 'id' | 'name'>;

const translatedName = ({ id, name }: Category): string | null => translationOf(`shipped.category.${id}.name`, name);

/** A category's name for plain text. */
export const plainName = (category: Category): string => translatedName(category) ?? category.name;

/** A category's name; one that is not translated is set apart from what is around it, as `isolated` does. */
export const categoryName = (category: Category): string => translatedName(category) ?? isolated(category.name);

/** What a category is, in one sentence; empty if the manifest does not say. */
export function categoryMeaning({ id, plain }: Pick<RankedClass, 'id' | 'plain'>, most?: number): string {
  return plain ? (translationOf(`shipped.category.${id}.plain`, plain) ?? isolated(plain, most)) : '';
}

/** A model's title. */
export const modelTitle = ({ name, title }: { name: string; title: string }): string =>
  translationOf(`shipped.title.${name}`, title) ?? isolated(title);
