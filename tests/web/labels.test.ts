/** Labels, merging, and figures from answers. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { allFigures, type Scored } from '../../tools/cli/figures.js';
import { chooseRows, mergeClasses, readLabels } from '../../tools/cli/labels.js';
import { duration } from '../../tools/cli/progress.js';
import { report, table } from '../../tools/cli/report.js';
import { bar, fit, wrap } from '../../tools/cli/terminal.js';
import { UsageError } from '../../tools/cli/usage.js';

let folder: string;
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'dermlet-'))));
afterAll(() => rmSync(folder, { recursive: true }));
const file = (text: string): string => {
  const path = join(folder, `${Math.random()}.csv`);
  writeFileSync(path, text);
  return path;
};

describe('labels', () => {
  test('quoted fields, a byte order mark, other columns in any order', async () => {
    const rows = await readLabels(file('\ufefflabel,set,image,source_label,extra\r\nnv,s,"a,b.jpg","NV/Nevus, ""NOS""",1\r\n'));
    expect(rows).toEqual([{ set: 's', image: 'a,b.jpg', label: 'nv', group: 's/a,b.jpg', split: '', modality: '', sourceLabel: 'NV/Nevus, "NOS"' }]);
  });
  test.each([
    ['set,label\ns,nv\n', /no column 'image'/],
    ['set,image,label\n', /no rows/],
    ['set,image,label\n"s,a,nv\n', /could not be read/],
  ])('%j is wrong use', (text, message) => expect(readLabels(file(text))).rejects.toThrow(message));
  test('a missing file is wrong use', () => expect(readLabels(join(folder, 'none.csv'))).rejects.toBeInstanceOf(UsageError));

  const row = (set: string, split: string, modality: string) => ({ set, split, modality, image: 'x', label: 'nv', group: 'g', sourceLabel: '' });
  const rows = [row('a', 'train', 'photo'), row('a', 'val', 'photo'), row('b', 'val', 'dermoscopy'), row('c', 'val', '')];
  test('are chosen by set, split and modality', () => {
    expect(chooseRows(rows, {})).toHaveLength(4);
    expect(chooseRows(rows, { sets: ['a', 'b'], split: 'val' })).toHaveLength(2);
    expect(chooseRows(rows, { modality: 'dermoscopy' }).map(({ set }) => set)).toEqual(['b', 'c']);
  });
  test('none left is wrong use, and says what there is', () => {
    expect(() => chooseRows(rows, { sets: ['x'] })).toThrow(/no set 'x'; they have a, b, c/);
    expect(() => chooseRows(rows, { split: 'test' })).toThrow(/splits train, val/);
  });
});

describe('merging', () => {
  test('sums into the other class', () => {
    const merged = mergeClasses(['akiec', 'bcc', 'scc'], ['scc:akiec']);
    expect(merged.classes).toEqual(['akiec', 'bcc']);
    expect(merged.into).toEqual([0, 1, 0]);
    expect([merged.label('scc'), merged.label('bcc')]).toEqual(['akiec', 'bcc']);
  });
  test.each(['scc', 'scc:', 'scc:x', 'x:scc', 'a:b:c', 'scc:scc'])('%s is wrong use', (merge) => {
    expect(() => mergeClasses(['akiec', 'scc'], [merge])).toThrow(UsageError);
  });
  test('chains are wrong use', () => expect(() => mergeClasses(['a', 'b', 'c'], ['a:b', 'b:c'])).toThrow(/itself merged/));
});

describe('figures', () => {
  const lesion = (truth: number, probabilities: number[], predictionSet: number[], more: Partial<Scored> = {}): Scored => ({
    set: 's',
    image: `${Math.random()}`,
    group: `${Math.random()}`,
    modality: 'photo',
    truth,
    outcome: predictionSet.length === 0 ? 'not-recognised' : predictionSet.length === 1 ? 'single' : 'several',
    rejection: -3,
    probabilities,
    predictionSet,
    ...more,
  });
  const rows = [
    lesion(0, [0.9, 0.1], [0]),
    lesion(0, [0.6, 0.4], [0, 1], { set: 't' }),
    lesion(1, [0.7, 0.3], [0], { modality: 'dermoscopy' }),
    lesion(1, [0.2, 0.8], [], { rejection: -1 }),
    lesion(-1, [0.5, 0.5], [0], { negative: { label: 'other', kind: 'other: rash' }, rejection: -2 }),
    lesion(-1, [0.5, 0.5], [], { negative: { label: 'none', kind: 'none: cat' }, rejection: 0 }),
    lesion(-1, [0.5, 0.5], [], { negative: { label: 'none', kind: 'none: wall' }, rejection: 0, outcome: 'poor-quality' }),
  ];
  const { overall, bySet, byModality, refusal } = allFigures(rows, { classes: ['a', 'b'], positive: 1, resamples: 50 });

  test('negatives count for refusal and not for accuracy', () => {
    expect(overall).toMatchObject({ pictures: 4, accuracy: 0.75, balancedAccuracy: 0.75, shareRefused: 0.25 });
    expect(overall.outcomes).toEqual({ single: 2, several: 1, 'not-recognised': 1, 'poor-quality': 0 });
  });
  test('prediction sets count over answered pictures', () => {
    expect(overall.predictionSets).toMatchObject({ answered: 3, meanSize: 4 / 3 });
    expect(overall.predictionSets.coverage).toBeCloseTo(2 / 3);
    expect(overall.perClass.a).toMatchObject({ pictures: 2, recall: 1, coverage: 1, meanSetSize: 1.5 });
    expect(overall.perClass.b).toMatchObject({ pictures: 2, recall: 0.5, coverage: 0 });
  });
  test('one against the rest', () => expect(overall.positive).toEqual({ class: 'b', pictures: 2, auc: 0.75, sensitivityAt95Specificity: 0.5 }));
  test('by set and by modality; what is not defined is null', () => {
    expect(Object.keys(bySet)).toEqual(['s', 't']);
    expect(bySet.t!.macroAuc).toBeNull();
    expect(byModality.dermoscopy).toMatchObject({ pictures: 1, accuracy: 0 });
  });
  test('refusal', () => {
    // -2, 0, 0 against -3, -3, -3, -1: 3 + 4 + 4 of 12.
    expect(refusal!.auroc).toBeCloseTo(11 / 12);
    expect(refusal!.lesionsRefused).toBe(0.25);
    expect(refusal!.byLabel.other).toMatchObject({ pictures: 1, shareRefused: 0, shareSingle: 1, auroc: 0.75 });
    expect(refusal!.byLabel.none).toMatchObject({ pictures: 2, refused: 2, poorQuality: 1, notRecognised: 1 });
    expect(Object.keys(refusal!.byKind)).toEqual(['none: cat', 'none: wall', 'other: rash']);
  });
  test('can be written and read for people, with no lesions too', () => {
    expect(report({ overall, bySet, byModality, refusal })).toMatch(/balanced accuracy +0\.750/);
    const none = allFigures(rows.slice(4), { classes: ['a', 'b'], positive: -1, resamples: 50 });
    expect(JSON.parse(JSON.stringify(none))).toMatchObject({ overall: { pictures: 0, accuracy: null, positive: null } });
    expect(report(none)).toMatch(/refusal AUROC –/);
  });
});

describe('the terminal', () => {
  test('bars', () => {
    expect(bar(0, 4)).toBe('    ');
    expect(bar(0.5, 4)).toBe('██  ');
    expect(bar(0.53125, 4)).toBe('██▏ ');
    expect(bar(1, 4)).toBe('████');
    expect(bar(7, 4)).toBe('████');
  });
  test('long names are cut, not bent', () => {
    expect(fit('abc', 5)).toBe('abc  ');
    expect(fit('abcdef', 5)).toBe('abcd…');
  });
  test('wraps', () => expect(wrap('one two three', 9, ' ')).toBe(' one two\n three'));
  test('tables', () => expect(table([['a', 'b'], ['long', '1']])).toBe('a     b\nlong  1'));
  test.each([[3.2, '4 s'], [61, '1 min 1 s'], [3700, '1 h 1 min']])('%d seconds are %s', (seconds, text) => expect(duration(seconds)).toBe(text));
});
