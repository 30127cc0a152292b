/** What the page makes of photos with labels, in folders or given by a reader, up to a head of the real core. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { classIdOf } from '../../web/src/classifier/examples.js';
import { headFile, readHead } from '../../web/src/classifier/head-file.js';
import { Classifier } from '../../web/src/classifier/node/index.js';
import {
  classesFor,
  type Fault,
  HeadError,
  type Labelled,
  photosOfFolder,
  photosOfList,
} from '../../web/src/element/head/labelled.js';
import { type Progress, trainOn } from '../../web/src/element/head/training.js';
import { expectCode, picture } from './support.js';

function file(path: string, content: BlobPart = path): File {
  const made = new File([content], path.split('/').at(-1)!, { type: '' });
  return Object.defineProperty(made, 'webkitRelativePath', { value: path });
}

function faultOf(run: () => unknown): Fault | null {
  try {
    run();
    return null;
  } catch (error) {
    if (error instanceof HeadError) return error.fault;
    throw error;
  }
}

describe('a folder', () => {
  test('gives its photos by category, and those of one case together', () => {
    const given = photosOfFolder(
      ['b/1.jpg', 'b/2.png', 'a/case-1/x.jpg', 'a/case-1/y.jpg', 'a/z.HEIC'].map((path) => file(`Clinic/${path}`)),
    );
    expect(given.title).toBe('Clinic');
    expect(given.photos.map(({ label, group, name }) => [label, group, name])).toEqual([
      ['b', null, '1.jpg'],
      ['b', null, '2.png'],
      ['a', 'a/case-1', 'x.jpg'],
      ['a', 'a/case-1', 'y.jpg'],
      ['a', null, 'z.HEIC'],
    ]);
  });

  test('passes over what is no picture, hidden, or in no category', () => {
    const paths = ['a/1.jpg', 'a/2.jpg', 'b/1.jpg', 'b/2.jpg'];
    const others = ['loose.jpg', 'a/notes.txt', 'a/.hidden.jpg', '.trash/3.jpg', 'c/only.csv'];
    const { photos } = photosOfFolder([...paths, ...others].map((path) => file(`F/${path}`)));
    expect(photos.map(({ file }) => (file as File).webkitRelativePath)).toEqual(paths.map((path) => `F/${path}`));
  });

  test.each<[string, string[], Fault]>([
    ['nothing in folders', ['1.jpg', '2.jpg'], { code: 'NO_FOLDERS' }],
    ['no file', [], { code: 'NO_FOLDERS' }],
    ['one category', ['a/1.jpg', 'a/2.jpg'], { code: 'TOO_FEW_CATEGORIES' }],
    ['a single photo', ['a/1.jpg', 'a/2.jpg', 'b/1.jpg'], { code: 'TOO_FEW_PHOTOS', name: 'b' }],
    [
      'more categories than there may be',
      Array.from({ length: 101 }, (_none, at) => [`${at}/1.jpg`, `${at}/2.jpg`]).flat(),
      { code: 'TOO_MANY_CATEGORIES' },
    ],
    [
      'more photos than there may be',
      Array.from({ length: 5001 }, (_none, at) => `${at % 2}/${at}.jpg`),
      { code: 'TOO_MANY_PHOTOS' },
    ],
  ])('with %s says so', (_what, paths, fault) => {
    expect(faultOf(() => photosOfFolder(paths.map((path) => file(`F/${path}`))))).toEqual(fault);
  });
});

test('photos of the list are those with a label, as they are framed', () => {
  const photo = { file: new Blob(), name: 'x.jpg', crop: null, modality: null, reading: null };
  const crop = { x: 1, y: 2, width: 30, height: 40 };
  const mole = { label: 'nv', category: 'Melanocytic naevus (mole)', first: true };
  const own = { label: 'Warze', category: null, first: false };
  const { photos, title } = photosOfList([
    { ...photo, reading: mole, crop, modality: 'dermoscopy' },
    photo,
    { ...photo, reading: own },
    { ...photo, reading: own },
    { ...photo, reading: mole },
  ]);
  expect(title).toBe('');
  expect(photos).toHaveLength(4);
  expect(photos[0]).toMatchObject({ label: 'Melanocytic naevus (mole)', crop, modality: 'dermoscopy', group: null });
  expect(photos[1]).toMatchObject({ label: 'Warze', crop: null });
});

describe('classes', () => {
  const known = [{ id: 'nv', name: 'Mole', plain: 'A sentence.', concern: 'low' as const }];

  test('are the model’s by id or name, else ones by the label', () => {
    expect([...classesFor(['nv', 'Rötung & mehr'], known, classIdOf).values()]).toEqual([
      known[0],
      { id: 'rotung-mehr', name: 'Rötung & mehr', concern: 'moderate' },
    ]);
    expect(classesFor(['Mole'], known, classIdOf).get('Mole')).toEqual(known[0]);
  });

  test('have ids in any script, and names that a file may have', () => {
    const classes = [...classesFor(['حزاز', '湿疹', 'a\u202eb'], [], classIdOf).values()];
    expect(classes.map(({ id }) => id)).toEqual(['own-1', 'own-2', 'a-b']);
    expect(classes[2]!.name).not.toContain('\u202e');
    expect([...classesFor(['x'.repeat(300)], [], classIdOf).values()][0]!.name.length).toBeLessThanOrEqual(80);
  });

  test('that would be one are refused', () => {
    expect(faultOf(() => classesFor(['Red spots', 'red-spots'], [], classIdOf))).toEqual({
      code: 'SAME_CATEGORY',
      one: 'Red spots',
      other: 'red-spots',
    });
    expect(faultOf(() => classesFor(['nv', 'Mole'], known, classIdOf))).toMatchObject({ code: 'SAME_CATEGORY' });
  });
});

describe('trained', () => {
  let classifier: Classifier;
  beforeAll(async () => {
    classifier = await Classifier.load('skin-8');
  });
  afterAll(() => classifier.dispose());

  const photo = (name: string, label: string, content?: BlobPart[]): Labelled => ({
    file: new Blob(content ?? [picture(name)]),
    name,
    label,
    group: null,
    crop: null,
    modality: null,
  });
  const reds = ['spot.jpg', 'spot-422.jpg', 'spot-444.jpg'].map((name) => photo(name, 'Red spots'));
  const moles = ['spot-progressive.jpg', 'spot-restart.jpg', 'spot-cmyk.jpg'].map((name, at) =>
    photo(name, 'nv', [picture(name), String(at)]),
  );
  const train = (photos: Labelled[], change: { stop?: AbortController; seen?: Progress[] } = {}) =>
    trainOn(classifier, photos, {
      title: 'Clinic A',
      crop: 'whole',
      signal: (change.stop ?? new AbortController()).signal,
      progress: (progress) => {
        change.seen?.push(progress);
        if (change.stop && progress.kind === 'looking' && progress.done === 2) change.stop.abort();
      },
    });

  test('it tells how far it is, what it left out, and gives a head that can be saved', async () => {
    const seen: Progress[] = [];
    const repeated = { ...reds[0]!, name: 'again.jpg' };
    const given = [...reds, repeated, ...moles, photo('broken.jpg', 'nv', ['no picture']), photo('flat.png', 'nv')];
    const { head, failed, leftOut, repeated: again } = await train(given, { seen });
    expect(failed).toEqual([{ name: 'broken.jpg', code: 'UNSUPPORTED_FORMAT' }]);
    expect({ leftOut, again }).toEqual({ leftOut: 1, again: 1 });
    expect(head.manifest).toMatchObject({ title: 'Clinic A', crop: 'whole', pictures: [3, 3] });
    expect(head.manifest.classes.map(({ id }) => id)).toEqual(['red-spots', 'nv']);
    expect(readHead(headFile(head))).toEqual(head);
    expect(seen.filter(({ kind }) => kind === 'looking')).toHaveLength(given.length);
    expect(seen.at(-1)).toEqual({ kind: 'fitting', share: 1 });
  });

  test('a category of which too little is left, and a file in two of them, are refused by name', async () => {
    const blank = [photo('flat.png', 'b'), photo('flat.png', 'b', [picture('flat.png'), '1'])];
    await expect(train([...reds, ...blank])).rejects.toMatchObject({ fault: { code: 'TOO_FEW_PHOTOS', name: 'b' } });
    const twice = { ...reds[0]!, label: 'nv', name: 'same.jpg' };
    await expect(train([...reds, ...moles, twice])).rejects.toMatchObject({
      fault: { code: 'TWO_CATEGORIES', file: 'same.jpg', one: 'Red spots', other: 'nv' },
    });
  });

  test('it is stopped between photos, and goes on with the next', async () => {
    const stop = new AbortController();
    await expectCode(train([...reds, ...moles], { stop }), 'ABORTED');
    expect((await train([...reds, ...moles])).head.manifest.heldOut.leaveOneOut).toBe(true);
  });
});
