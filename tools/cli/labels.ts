/** Labels: reading, filtering and merging. */
import { readFile } from 'node:fs/promises';
import { posix } from 'node:path';
import { parse } from 'csv-parse/sync';
import { say } from './say.js';
import { reasonOf, UsageError } from './usage.js';

export interface LabelRow {
  set: string;
  image: string;
  label: string;
  /** Patient or lesion; the picture itself if the file names none. */
  group: string;
  split: string;
  modality: string;
  sourceLabel: string;
  /** `scale:tone` as the source states it, such as `fitzpatrick:3`. */
  skinTone: string;
}

/** Pictures of none of the model's classes. */
export const NEGATIVE_LABELS: readonly string[] = ['other', 'none'];

/**
 * The text of a table: UTF-8, UTF-16 with a byte order mark or without, else bytes as they are (Latin-1), among which
 * file names that are not UTF-8 are found again.
 */
function tableText(bytes: Buffer): string {
  const even = (remainder: number) => bytes.subarray(0, 64).some((byte, i) => i % 2 === remainder && byte === 0);
  const decode = (name: string) => new TextDecoder(name, { fatal: true }).decode(bytes);
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || even(1)) return decode('utf-16le');
  if ((bytes[0] === 0xfe && bytes[1] === 0xff) || even(0)) return decode('utf-16be');
  try {
    return decode('utf-8');
  } catch {
    return bytes.toString('latin1');
  }
}

/** Of comma, semicolon and tab the one that the header has most of. */
function delimiterOf(text: string): string {
  const header = /^.*/m.exec(text.trimStart())![0];
  const count = (separator: string) => header.split(separator).length;
  return [',', ';', '\t'].reduce((best, separator) => (count(separator) > count(best) ? separator : best));
}

/**
 * Reads a labels file, separated by commas, semicolons or tabs:
 * columns set, image, label and, where there, group, split, modality, source_label, skin_tone;
 * others are ignored.
 * @throws UsageError when it cannot be read or lacks a column
 */
export async function readLabels(path: string): Promise<LabelRow[]> {
  let rows: Record<string, string>[];
  try {
    const text = tableText(await readFile(path));
    rows = parse(text, { columns: true, delimiter: delimiterOf(text), skip_empty_lines: true, trim: true });
  } catch (error) {
    throw new UsageError(say('cli.error.labels', { path, reason: reasonOf(error) }));
  }
  const [first] = rows;
  if (!first) throw new UsageError(say('cli.error.noRows', { path }));
  for (const column of ['set', 'image', 'label']) {
    if (!Object.hasOwn(first, column)) throw new UsageError(say('cli.error.noColumn', { path, column }));
  }
  return rows.map((row) => ({
    set: row.set!,
    image: row.image!,
    label: row.label!,
    group: row.group || `${row.set}/${row.image}`,
    split: row.split ?? '',
    modality: row.modality ?? '',
    sourceLabel: row.source_label ?? '',
    skinTone: row.skin_tone ?? '',
  }));
}

export interface Choice {
  sets?: readonly string[] | undefined;
  split?: string | undefined;
  modality?: string | undefined;
}

/** The matching rows. @throws UsageError if there are none, with the available values */
export function chooseRows(rows: readonly LabelRow[], { sets, split, modality }: Choice): LabelRow[] {
  const named = (key: 'set' | 'split' | 'modality') => [...new Set(rows.map((row) => row[key]))].sort().join(', ');
  for (const set of sets ?? []) {
    if (!rows.some((row) => row.set === set))
      throw new UsageError(say('cli.error.noSet', { set, known: named('set') }));
  }
  const chosen = rows.filter(
    (row) =>
      (sets === undefined || sets.includes(row.set)) &&
      (split === undefined || row.split === split) &&
      // Rows without a modality match any.
      (modality === undefined || row.modality === modality || row.modality === ''),
  );
  if (chosen.length === 0)
    throw new UsageError(say('cli.error.noRowLeft', { splits: named('split'), modalities: named('modality') }));
  return chosen;
}

/** Rows that say the same of one picture. */
export interface Distinct {
  rows: LabelRow[];
  /** Number of rows left out. */
  repeated: number;
}

/** How many contradictions are named. */
const NAMED = 5;

/**
 * Each picture once: a second row that says the same is left out.
 * @throws UsageError where rows contradict each other in label, group or modality; it names the pictures
 */
export function distinctRows(rows: readonly LabelRow[]): Distinct {
  const known = new Map<string, LabelRow>();
  const contradictions: string[] = [];
  for (const row of rows) {
    const key = posix.normalize(`${row.set}/${row.image}`);
    const first = known.get(key);
    if (!first) {
      known.set(key, row);
      continue;
    }
    const column = (['label', 'group', 'modality'] as const).find(
      (name) => posix.normalize(first[name]) !== posix.normalize(row[name]),
    );
    if (column)
      contradictions.push(
        say('cli.labels.contradiction', { file: key, column, one: first[column], other: row[column] }),
      );
  }
  if (contradictions.length > 0)
    throw new UsageError(
      say('cli.error.contradictions', {
        count: contradictions.length,
        examples: contradictions.slice(0, NAMED).join('; '),
      }),
    );
  return { rows: [...known.values()], repeated: rows.length - known.size };
}

/** Classes after `--merge scc:akiec`. */
export interface Merged {
  classes: string[];
  /** New index by old index. */
  into: number[];
  /** A label's name after merging. */
  label(name: string): string;
}

/** @throws UsageError for an unknown class, or one that is both source and target of a merge */
export function mergeClasses(classes: readonly string[], merges: readonly string[]): Merged {
  const target = new Map<string, string>();
  for (const merge of merges) {
    const [from, into, rest] = merge.split(':');
    if (!from || !into || rest !== undefined || from === into)
      throw new UsageError(say('cli.error.merge', { text: merge }));
    for (const id of [from, into]) if (!classes.includes(id)) throw new UsageError(say('cli.error.mergeClass', { id }));
    if (target.has(from)) throw new UsageError(say('cli.error.mergedTwice', { id: from }));
    target.set(from, into);
  }
  for (const into of target.values())
    if (target.has(into)) throw new UsageError(say('cli.error.mergedInto', { id: into }));
  const kept = classes.filter((id) => !target.has(id));
  return {
    classes: kept,
    into: classes.map((id) => kept.indexOf(target.get(id) ?? id)),
    label: (name) => target.get(name) ?? name,
  };
}
