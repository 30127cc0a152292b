/** What the benchmark prints: tables in Markdown, as README quotes them, and the targets with what came of each. */
import type { Sample } from './page/bench.js';
import type { BenchPicture } from './pictures.js';

export interface Measured {
  picture: Omit<BenchPicture, 'path'>;
  /** Peak of the core's memory in bytes. */
  memory: number;
  /** Milliseconds; `median` and `min` are not numbers where the way failed. */
  samples: (Sample & { median: number; min: number })[];
}

/** One browser's turn. */
export interface Run {
  browser: string;
  isolated: boolean;
  rounds: number;
  measured: Measured[];
}

/** Dermlet's time over the other way's must not be more, at 12 MP. */
const TIME_TARGETS = [
  { way: 'canvas', atMost: 0.6 },
  { way: 'bitmap-resize', atMost: 1 },
  { way: 'wasm-vips', atMost: 0.5 },
  { way: 'transformers.js', atMost: 0.3 },
];

/** MiB at 48 MP baseline; tests/bench/memory.test.mjs holds the module to it. */
const MEMORY_TARGET = 96;

const TITLES: Record<string, string> = {
  canvas: 'canvas',
  'bitmap-resize': '`createImageBitmap` with resize',
  'wasm-vips': 'wasm-vips',
  'transformers.js': 'transformers.js',
  classify: 'whole classification',
};

const titleOf = (way: string) => TITLES[way] ?? way;

/** NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length === 0) return NaN;
  return sorted.length % 2 === 1
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

function medianOf({ samples }: Measured, way: string): number {
  return samples.find((sample) => sample.way === way)?.median ?? NaN;
}

const number = (value: number, digits: number, unit: string) =>
  Number.isNaN(value) ? '-' : `${value.toFixed(digits)}${unit}`;

/** A Markdown table with aligned columns, the first to the left and the others to the right. */
function table([head, ...rows]: string[][]): string {
  const all = [head ?? [], ...rows];
  const widths = (head ?? []).map((_, column) => Math.max(3, ...all.map((row) => (row[column] ?? '').length)));
  const line = (row: string[]) =>
    `| ${row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join(' | ')} |`;
  const rules = widths.map((width, i) => (i === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`));
  const rule = `|${rules.join('|')}|`;
  return [line(head ?? []), rule, ...rows.map(line)].join('\n');
}

/** Medians of Dermlet, and how many times as long every other way takes. */
function times({ measured }: Run): string {
  const others = Object.keys(TITLES);
  const rows = measured.map((one) => {
    const own = medianOf(one, 'dermlet');
    const { name, bytes } = one.picture;
    return [
      `${name}, ${(bytes / 1e6).toFixed(1)} MB`,
      number(own, 1, ' ms'),
      ...others.map((way) => number(medianOf(one, way) / own, 2, 'x')),
    ];
  });
  return table([['picture', 'Dermlet', ...others.map(titleOf)], ...rows]);
}

/** Mean distance of every other way's tensor, and the core's memory. */
function differences({ measured }: Run): string {
  const others = Object.keys(TITLES).filter((way) => way !== 'classify');
  const rows = measured.map(({ picture, samples, memory }) => {
    const of = (way: string) => samples.find((sample) => sample.way === way)?.difference ?? NaN;
    return [picture.name, ...others.map((way) => number(of(way), 2, '')), `${(memory / 2 ** 20).toFixed(1)} MiB`];
  });
  return table([['mean difference to Dermlet, levels of 255', ...others.map(titleOf), "Dermlet's memory"], ...rows]);
}

/** A row for everything that was asked of what this run measured. */
function targets(runs: Run[]): string {
  const rows: string[][] = [];
  const judge = (browser: string, what: string, asked: string, found: string, met: boolean | undefined) =>
    rows.push([`${browser}: ${what}`, asked, found, met === undefined ? 'not measured' : met ? 'met' : 'missed']);
  for (const { browser, measured } of runs) {
    for (const one of measured.filter(({ picture }) => picture.megapixels === 12)) {
      for (const { way, atMost } of TIME_TARGETS) {
        const ratio = medianOf(one, 'dermlet') / medianOf(one, way);
        judge(
          browser,
          `${one.picture.name}, time over that of ${titleOf(way)}`,
          `<= ${atMost}`,
          number(ratio, 2, ''),
          Number.isNaN(ratio) ? undefined : ratio <= atMost,
        );
      }
    }
    for (const { memory, picture } of measured.filter(
      (one) => one.picture.megapixels === 48 && !one.picture.progressive,
    )) {
      const mib = memory / 2 ** 20;
      judge(
        browser,
        `${picture.name}, memory`,
        `<= ${MEMORY_TARGET} MiB`,
        `${mib.toFixed(1)} MiB`,
        mib <= MEMORY_TARGET,
      );
    }
  }
  return rows.length === 0 ? '' : table([['target', 'asked', 'measured', ''], ...rows]);
}

/** Ways that a browser could not go, and why. */
function failures({ browser, measured }: Run): string[] {
  return measured.flatMap(({ picture, samples }) =>
    samples
      .filter((sample) => sample.error !== undefined)
      .map((sample) => `${browser}: ${titleOf(sample.way)} cannot be measured on ${picture.name}: ${sample.error}`),
  );
}

export function report(runs: Run[]): string {
  const parts = runs.flatMap((run) => [
    `${run.browser}, bytes to normalised tensor: medians of ${run.rounds}, ` +
      'and how many times as long the other way takes' +
      (run.isolated ? '' : ' (not cross-origin isolated: no threads)'),
    times(run),
    differences(run),
    failures(run).join('\n'),
  ]);
  return ['', ...parts, targets(runs)].filter((part, i) => i === 0 || part !== '').join('\n\n');
}
