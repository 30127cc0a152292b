/** Labels, merging, and what people see of them. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chooseRows, mergeClasses, readLabels } from '../../tools/cli/labels.js';
import { duration } from '../../tools/cli/progress.js';
import { table } from '../../tools/cli/report.js';
import { bar, padded, wrap } from '../../tools/cli/terminal.js';
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
    const rows = await readLabels(
      file('\ufefflabel,set,image,source_label,extra,skin_tone\r\nnv,s,"a,b.jpg","NV/Nevus, ""NOS""",1,milk:3\r\n'),
    );
    expect(rows).toEqual([
      {
        set: 's',
        image: 'a,b.jpg',
        label: 'nv',
        group: 's/a,b.jpg',
        split: '',
        modality: '',
        sourceLabel: 'NV/Nevus, "NOS"',
        skinTone: 'milk:3',
      },
    ]);
  });
  test.each([
    ['set,label\ns,nv\n', /no column 'image'/],
    ['set,image,label\n', /no rows/],
    ['set,image,label\n"s,a,nv\n', /could not be read/],
  ])('%j is wrong use', (text, message) => expect(readLabels(file(text))).rejects.toThrow(message));
  test('a missing file is wrong use', () =>
    expect(readLabels(join(folder, 'none.csv'))).rejects.toBeInstanceOf(UsageError));

  const row = (set: string, split: string, modality: string) => ({
    set,
    split,
    modality,
    image: 'x',
    label: 'nv',
    group: 'g',
    sourceLabel: '',
    skinTone: '',
  });
  const rows = [
    row('a', 'train', 'photo'),
    row('a', 'val', 'photo'),
    row('b', 'val', 'dermoscopy'),
    row('c', 'val', ''),
  ];
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
  test('chains are wrong use', () =>
    expect(() => mergeClasses(['a', 'b', 'c'], ['a:b', 'b:c'])).toThrow(/itself merged/));
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
    expect(padded('abc', 5)).toBe('abc  ');
    expect(padded('abcdef', 5)).toBe('abcd…');
  });
  test('wraps', () => expect(wrap('one two three', 9, ' ')).toBe(' one two\n three'));
  test('tables', () =>
    expect(
      table([
        ['a', 'b'],
        ['long', '1'],
      ]),
    ).toBe('a     b\nlong  1'));
  test.each([
    [3.2, '4 s'],
    [61, '1 min 1 s'],
    [3700, '1 h 1 min'],
  ])('%d seconds are %s', (seconds, text) => expect(duration(seconds)).toBe(text));
});
