/** A result for people, in as many columns as the terminal has. */
import type { RankedClass, Result } from '../../web/src/classifier/node/index.js';
import { DOCTOR, exactPercent, summary } from '../../web/src/messages/index.js';

const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];
const SHADES = [' ', '░', '▒', '▓', '█'];

/** A bar of `share` of `width` columns, to an eighth of a column. */
export function bar(share: number, width: number): string {
  const eighths = Math.round(Math.min(1, Math.max(0, share)) * width * 8);
  return ('█'.repeat(eighths >> 3) + EIGHTHS[eighths & 7]!).padEnd(width);
}

/** Cuts to `width` columns. Class names are Latin text: one column a character. */
export function padded(text: string, width: number): string {
  const characters = [...text];
  return characters.length <= width ? text.padEnd(width) : `${characters.slice(0, Math.max(0, width - 1)).join('')}…`;
}

/** Breaks at spaces; every line begins with `indent`. */
export function wrap(text: string, columns: number, indent = ''): string {
  const lines: string[] = [];
  let line = indent;
  for (const word of text.split(' ')) {
    if (line.length > indent.length && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = indent;
    }
    line += line.length > indent.length ? ` ${word}` : word;
  }
  return [...lines, line].join('\n');
}

function row({ name, probability, inSet }: RankedClass, columns: number): string {
  const barWidth = Math.max(6, Math.min(24, Math.floor(columns * 0.25)));
  const nameWidth = Math.max(8, Math.min(58, columns - barWidth - 14));
  return (
    `  ${inSet ? '●' : ' '} ${padded(name, nameWidth)} ${bar(probability, barWidth)} ` +
    `${exactPercent(probability, 1).padStart(7)}`
  );
}

function grid({ rows, columns, values }: NonNullable<Result['explanation']>): string {
  const shade = (value: number) =>
    SHADES[Math.min(SHADES.length - 1, Math.round(value * (SHADES.length - 1)))]!.repeat(2);
  return Array.from(
    { length: rows },
    (_row, r) =>
      `    │${values
        .slice(r * columns, (r + 1) * columns)
        .map(shade)
        .join('')}│`,
  ).join('\n');
}

/** What became of each picture of a lesion, and what it would look most like alone. */
function lesionLines(paths: readonly string[], { lesion, ranking }: Result, columns: number): string[] {
  if (!lesion) return [];
  const nameOfClass = (id: string) => ranking.find((entry) => entry.id === id)?.name ?? id;
  const title = lesion.combined
    ? 'Both pictures together; each alone:'
    : 'Not combined: a picture that is not usable is left out.';
  const lines = lesion.pictures.map(({ modality, usable, rejection, probabilities }, index) => {
    const [first] = Object.entries(probabilities).sort(([, a], [, b]) => b - a);
    const refused = rejection.threshold !== null && rejection.score > rejection.threshold;
    const state = !usable
      ? 'not usable'
      : refused
        ? 'not recognised'
        : `${nameOfClass(first![0])}, ${exactPercent(first![1])}`;
    return wrap(`${paths[index]} (${modality}): ${state}`, columns, '    ');
  });
  return [wrap(title, columns, '  '), ...lines];
}

/** Which part of the picture was looked at, and where the modality that was asked for is not what it looks like. */
function lookLines({
  frame: { framing, spots },
  source: { region },
  modality,
  modalityChoice: { by, recognised },
}: Result): string[] {
  const area = `${region.width} x ${region.height} pixels from ${region.x},${region.y}`;
  const lines: string[] = [];
  if (framing === 'spot')
    lines.push(
      `Looked at the spot that stands out: ${area}.` +
        (spots.length > 1 ? ` ${spots.length - 1} more in the picture.` : ''),
    );
  if (framing === 'both') lines.push('Looked at the picture as it is and closely at the spot that stands out.');
  if (framing === 'several')
    lines.push(
      'Spots to choose from, as --crop:',
      ...spots.map(({ frame }) => `  --crop ${frame.x},${frame.y},${frame.width},${frame.height}`),
    );
  if (by === 'picture')
    lines.push(`Taken as ${modality}, which it looks like (score ${exactPercent(recognised!.probability)}).`);
  if (by === 'caller' && recognised && recognised.modality !== modality) {
    lines.push(
      `Taken as ${modality}, as asked; it looks like ${recognised.modality} (score ` +
        `${exactPercent(recognised.probability)}).`,
    );
  }
  return lines;
}

/** @param paths one, or those of a lesion's pictures */
export function describe(paths: readonly string[], result: Result, columns: number): string {
  const shown = result.outcome === 'single' || result.outcome === 'several';
  const parts = [paths.join(' + '), wrap(summary(result), columns, '  ')];
  // Without a named category the scores say nothing that should be read.
  if (shown) parts.push(...result.ranking.map((entry) => row(entry, columns)));
  parts.push(...lesionLines(paths, result, columns));
  parts.push(...lookLines(result).map((line) => wrap(line, columns, '  ')));
  const sources = result.lesion?.pictures.map(({ source }) => source) ?? [result.source];
  if (sources.some(({ bitExact }) => !bitExact))
    parts.push(wrap('Decoded by libheif: may differ slightly from what browsers decode.', columns, '  '));
  if (result.thorough) parts.push(wrap('Thorough: the mean over turns and reflections of the picture.', columns, '  '));
  if (shown && result.explanation) {
    const { classId } = result.explanation;
    const name = result.ranking.find(({ id }) => id === classId)?.name ?? classId;
    const where = result.lesion ? ` of ${paths[result.lesion.shown]}` : '';
    parts.push(
      wrap(`What speaks for ${name}, over the part${where} shown to the network:`, columns, '  '),
      grid(result.explanation),
    );
  }
  return parts.join('\n');
}

/** @param coverage share of pictures whose marked categories hold the truth, 0..1 */
export function legend(coverage: number, columns: number): string {
  const marks =
    `● may be: together the marked categories hold the truth for about ${exactPercent(coverage)} of pictures ` +
    'like those the model was calibrated on.';
  return `${wrap(marks, columns)}\n${wrap(DOCTOR, columns)}`;
}
