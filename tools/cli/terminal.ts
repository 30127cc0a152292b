/** Formats results for a terminal. */
import type { RankedClass, Result } from '../../web/src/classifier/node/index.js';
import { doctor, joined, list, mayName, number, plainPercent, summary } from '../../web/src/messages/index.js';
import { plain, plainData, strangersName } from './plain.js';
import { say } from './say.js';

const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];
const SHADES = [' ', '░', '▒', '▓', '█'];

/** A bar `share * width` columns long, to an eighth of a column. */
export function bar(share: number, width: number): string {
  const eighths = Math.round(Math.min(1, Math.max(0, share)) * width * 8);
  return ('█'.repeat(eighths >> 3) + EIGHTHS[eighths & 7]!).padEnd(width);
}

/** Pads or cuts to `width` columns, assuming one column per character. */
export function padded(text: string, width: number): string {
  const characters = [...text];
  return characters.length <= width ? text.padEnd(width) : `${characters.slice(0, Math.max(0, width - 1)).join('')}…`;
}

/** Breaks at spaces. Lines start with `indent`, the first one with `first`. */
export function wrap(text: string, columns: number, indent = '', first = indent): string {
  const lines: string[] = [];
  let line = first;
  let empty = true;
  for (const word of text.split(' ')) {
    if (!empty && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = indent;
      empty = true;
    }
    line += empty ? word : ` ${word}`;
    empty = false;
  }
  return [...lines, line].join('\n');
}

function row({ name, probability, inSet }: RankedClass, columns: number): string {
  const barWidth = Math.max(6, Math.min(24, Math.floor(columns * 0.25)));
  const nameWidth = Math.max(8, Math.min(58, columns - barWidth - 14));
  return (
    `  ${inSet ? '●' : ' '} ${padded(name, nameWidth)} ${bar(probability, barWidth)} ` +
    `${plainPercent(probability, 1).padStart(7)}`
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

/** The answer for each picture of a lesion. */
function lesionLines(paths: readonly string[], { lesion, ranking }: Result, columns: number): string[] {
  if (!lesion) return [];
  const nameOfClass = (id: string) => ranking.find((entry) => entry.id === id)?.name ?? id;
  const title = say(lesion.combined ? 'cli.lesion.combined' : 'cli.lesion.notCombined');
  const lines = lesion.perPicture.map(({ modality, usable, rejection, probabilities }, index) => {
    const [first] = Object.entries(probabilities).sort(([, a], [, b]) => b - a);
    const refused = rejection.threshold !== null && rejection.score > rejection.threshold;
    const state = !usable
      ? say('cli.lesion.notUsable')
      : refused
        ? say('cli.lesion.notRecognised')
        : say('cli.lesion.looksLike', { name: nameOfClass(first![0]), score: plainPercent(first![1]) });
    return wrap(say('cli.lesion.picture', { path: paths[index]!, modality, state }), columns, '    ');
  });
  return [wrap(title, columns, '  '), ...lines];
}

/** Which part of the picture was classified, and whether the requested modality differs from the recognised one. */
function framingLines({
  frame: { framing, spots },
  source: { region },
  modality,
  modalityChoice: { by, recognised },
}: Result): string[] {
  const lines: string[] = [];
  if (framing === 'spot') {
    const area = say('cli.look.area', {
      width: number(region.width),
      height: number(region.height),
      x: number(region.x),
      y: number(region.y),
    });
    const more = spots.length > 1 ? [say('cli.look.moreSpots', { count: spots.length - 1 })] : [];
    lines.push(joined([say('cli.look.spot', { area }), ...more]));
  }
  if (framing === 'both') lines.push(say('cli.look.both'));
  if (framing === 'several')
    lines.push(
      say('cli.look.several'),
      ...spots.map(({ frame }) => `  --crop ${frame.x},${frame.y},${frame.width},${frame.height}`),
    );
  if (by === 'picture')
    lines.push(say('cli.look.byPicture', { modality, score: plainPercent(recognised!.probability) }));
  if (by === 'caller' && recognised && recognised.modality !== modality) {
    lines.push(
      say('cli.look.asRequested', {
        modality,
        looks: recognised.modality,
        score: plainPercent(recognised.probability),
      }),
    );
  }
  return lines;
}

/** A result whose text, a model's or a file's, can be printed; a foreign model's names are in quotes. */
function printable(result: Result, foreign: boolean): Result {
  const { images: _images, ...data } = result;
  const safe = plainData(data);
  if (!foreign) return safe;
  return { ...safe, ranking: safe.ranking.map((entry) => ({ ...entry, name: strangersName(entry.name) })) };
}

/** Whose the words in quotes are. */
export const strangersLine = (title: string, columns: number): string =>
  wrap(say('cli.strangers', { title: strangersName(plain(title)) }), columns);

/**
 * @param given one path, or those of a lesion's pictures
 * @param foreign whether the model is somebody else's: its words are set apart
 */
export function describe(given: readonly string[], answer: Result, columns: number, foreign = false): string {
  const result = printable(answer, foreign);
  const paths = given.map(plain);
  const named = mayName(result);
  const parts = [paths.join(' + '), wrap(summary(result), columns, '  ')];
  // Without a named category the scores should not be read.
  if (named) parts.push(...result.ranking.map((entry) => row(entry, columns)));
  parts.push(...lesionLines(paths, result, columns));
  parts.push(...framingLines(result).map((line) => wrap(line, columns, '  ')));
  const sources = result.lesion?.perPicture.map(({ source }) => source) ?? [result.source];
  const libraries = [...new Set(sources.filter(({ bitExact }) => !bitExact).map(({ decodePath }) => decodePath))];
  if (libraries.length > 0) parts.push(wrap(say('cli.library', { library: list(libraries, 'and') }), columns, '  '));
  if (result.testTimeAugmentation) parts.push(wrap(say('cli.testTimeAugmentation'), columns, '  '));
  if (named && result.explanation) {
    const { classId } = result.explanation;
    const name = result.ranking.find(({ id }) => id === classId)?.name ?? classId;
    const title = result.lesion
      ? say('cli.heatMapOf', { name, path: paths[result.lesion.primaryIndex]! })
      : say('cli.heatMap', { name });
    parts.push(wrap(title, columns, '  '), grid(result.explanation));
  }
  return parts.join('\n');
}

/**
 * What the marks mean.
 * @param marked `coverage`: share of pictures whose prediction set holds the truth, where the model is calibrated;
 * `mass`: what the scores of a head's set reach together. 0..1
 */
export function legend(marked: { coverage: number } | { mass: number }, columns: number): string {
  const marks =
    'mass' in marked
      ? say('cli.legend.head', { share: plainPercent(marked.mass) })
      : say('cli.legend', { share: plainPercent(marked.coverage) });
  return `${wrap(marks, columns)}\n${wrap(doctor(), columns)}`;
}
