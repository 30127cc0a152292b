/** Photos with labels, out of a folder or the list of photos, and the classes that the labels become. */
import type { Crop, ModelInfo } from '../../classifier/index.js';
import { printable } from '../../messages/index.js';
import { isPicture } from '../dropped.js';
import type { Photo } from '../session.js';

/** Why nothing can be trained or used, with what its sentence needs (`head.error.<code>`). Codes are stable. */
export type Fault =
  | { code: 'NO_FOLDERS' | 'TOO_FEW_CATEGORIES' | 'TOO_MANY_CATEGORIES' | 'TOO_MANY_PHOTOS' | 'NO_EMBEDDING' }
  | { code: 'NOT_A_HEAD' | 'TOO_NEW' | 'UNREADABLE' }
  | { code: 'TOO_FEW_PHOTOS'; name: string }
  | { code: 'SAME_CATEGORY'; one: string; other: string }
  | { code: 'TWO_CATEGORIES'; file: string; one: string; other: string }
  | { code: 'OTHER_NETWORK'; name: string; version: string };

export class HeadError extends Error {
  override readonly name = 'HeadError';

  constructor(
    readonly fault: Fault,
    options?: ErrorOptions,
  ) {
    super(fault.code, options);
  }
}

export interface Labelled {
  readonly file: Blob;
  /** The file's. */
  readonly name: string;
  /** A category's name, or its id in the model. */
  readonly label: string;
  /** Photos of one person or spot share one. */
  readonly group: string | null;
  /** Null: as all the others. */
  readonly crop: Crop | null;
  /** Null: recognised from the photo. */
  readonly modality: string | null;
}

export interface Given {
  readonly photos: readonly Labelled[];
  /** The folder's name; empty where there is none. */
  readonly title: string;
}

/** More would take hours, and as many as the core takes at most. */
const MOST_PHOTOS = 5000;
const MOST_CATEGORIES = 100;
/** Characters of a name. */
const LONGEST = 80;

/** @throws HeadError */
function checked(given: Given): Given {
  const counts = countsOf(given.photos);
  if (given.photos.length > MOST_PHOTOS) throw new HeadError({ code: 'TOO_MANY_PHOTOS' });
  if (counts.size < 2) throw new HeadError({ code: 'TOO_FEW_CATEGORIES' });
  if (counts.size > MOST_CATEGORIES) throw new HeadError({ code: 'TOO_MANY_CATEGORIES' });
  for (const [name, count] of counts) if (count < 2) throw new HeadError({ code: 'TOO_FEW_PHOTOS', name });
  return given;
}

/** Photos by label, in the order of the labels. */
export function countsOf(photos: readonly Pick<Labelled, 'label'>[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { label } of photos) counts.set(label, (counts.get(label) ?? 0) + 1);
  return new Map([...counts].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/**
 * FOLDER/CATEGORY/photo, or FOLDER/CATEGORY/CASE/photo where several show one person or spot. What is no picture, is
 * hidden, or lies in no category's folder is passed over.
 * @throws HeadError
 */
export function photosOfFolder(files: Iterable<File>): Given {
  const photos: Labelled[] = [];
  let title = '';
  for (const file of files) {
    const [root = '', label, ...rest] = file.webkitRelativePath.split('/');
    title = root;
    if (label === undefined || rest.length === 0 || !isPicture(file)) continue;
    if ([label, ...rest].some((part) => part.startsWith('.'))) continue;
    const group = rest.length > 1 ? `${label}/${rest[0]}` : null;
    photos.push({ file, name: file.name, label, group, crop: null, modality: null });
  }
  if (photos.length === 0) throw new HeadError({ code: 'NO_FOLDERS' });
  return checked({ photos, title: nameOf(title) });
}

type Read = Pick<Photo, 'file' | 'name' | 'crop' | 'modality' | 'reading'>;

/** The photos of the list that a reader has given a label, as they are framed there. */
export const readPhotos = (photos: readonly Read[]): readonly Labelled[] =>
  photos.flatMap(({ file, name, crop, modality, reading }) =>
    reading ? [{ file, name, label: reading.category ?? reading.label, group: null, crop, modality }] : [],
  );

/** @throws HeadError */
export const photosOfList = (photos: readonly Read[]): Given => checked({ photos: readPhotos(photos), title: '' });

/** As a head's file may have it: visible, and not too long. */
export const nameOf = (text: string): string => printable(text.normalize('NFC').trim(), LONGEST);

export type Classes = ModelInfo['classes'];

/**
 * By label. One that the model has, by its id or its name, brings that class; another becomes a class by that name.
 * @param idOf an id made of a name; empty where there is none in it
 * @throws HeadError where two would be one
 */
export function classesFor(
  labels: Iterable<string>,
  known: Classes,
  idOf: (name: string) => string,
): ReadonlyMap<string, Classes[number]> {
  const classes = new Map<string, Classes[number]>();
  const labelOf = new Map<string, string>();
  for (const label of labels) {
    const own = known.find(({ id, name }) => id === label || name === label) ?? {
      // Names without a letter a to z have a number; its class is told by its name.
      id: idOf(label) || `own-${classes.size + 1}`,
      name: nameOf(label),
      // Changes nothing: a head gives no tier.
      concern: 'moderate' as const,
    };
    const other = labelOf.get(own.id);
    if (other !== undefined) throw new HeadError({ code: 'SAME_CATEGORY', one: other, other: label });
    labelOf.set(own.id, label);
    classes.set(label, own);
  }
  return classes;
}
