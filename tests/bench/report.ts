/** What the benchmark prints: tables in Markdown, as README quotes them, and the targets with what came of each. */
import type { Sample } from './page/bench.js';
import type { BenchPicture } from './pictures.js';

export interface Measured {
  picture: Omit<BenchPicture, 'path'>;
  /** Peak of the core's memory in bytes. */
  memory: number;
  samples: Summary[];
  /** The ways of `OWN_WAYS`, in a page that has loaded nothing else. */
  own: Summary[];
}

/** Milliseconds; `median` and `min` are not numbers where the way failed. */
export type Summary = Sample & { median: number; min: number };

/**
 * What a classification is taken apart by. The peers' memory and threads, and garbage of whole pictures, would weigh on
 * each of these in a way of its own.
 */
export const OWN_WAYS = ['dermlet', 'network', 'classify-bytes', 'classify-whole'];

/** One browser's turn. */
export interface Run {
  browser: string;
  isolated: boolean;
  rounds: number;
  measured: Measured[];
}

/** Dermlet's time to the tensor over the other way's must not be more; `progressive`: of that kind of JPEG alone. */
const TIME_TARGETS: readonly { megapixels: number; way: string; atMost: number; progressive?: boolean }[] = [
  { megapixels: 1, way: 'canvas', atMost: 0.6 },
  { megapixels: 12, way: 'canvas', atMost: 0.3, progressive: false },
  { megapixels: 12, way: 'canvas', atMost: 0.45, progressive: true },
  { megapixels: 12, way: 'bitmap-resize', atMost: 1 },
  { megapixels: 12, way: 'wasm-vips', atMost: 0.5 },
  { megapixels: 12, way: 'transformers.js', atMost: 0.3 },
];

/**
 * Milliseconds that classifying a 12 MP baseline picture may take beside preparing it and the network's run. All three
 * have its bytes in memory: the browser alone takes ten to make a Blob of 3 MB and to read it.
 */
const OVERHEAD_TARGET = 5;

/** MiB at 48 MP baseline; tests/bench/memory.test.mjs holds the module to it. */
const MEMORY_TARGET = 96;

const TENSOR_WAYS: Record<string, string> = {
  canvas: 'canvas',
  'bitmap-resize': '`createImageBitmap` with resize',
  'image-decoder': '`ImageDecoder`, reduced',
  'wasm-vips': 'wasm-vips',
  'transformers.js': 'transformers.js',
};

const ANSWER_WAYS: Record<string, string> = {
  classify: 'Dermlet, spot looked for',
  pipeline: "transformers.js' `pipeline`",
  'litert-float': 'LiteRT.js, float',
  'litert-int8': 'LiteRT.js, int8',
};

/** What is set beside its peers, in one page. */
export const COMPARED_WAYS = ['dermlet', 'classify-whole', ...Object.keys(TENSOR_WAYS), ...Object.keys(ANSWER_WAYS)];

const TITLES = {
  ...TENSOR_WAYS,
  ...ANSWER_WAYS,
  'classify-whole': 'Dermlet, picture as it is',
  'classify-bytes': 'Dermlet, picture as it is, given its bytes',
  network: 'the network',
  dermlet: 'Dermlet',
};

const titleOf = (way: string) => (TITLES as Record<string, string>)[way] ?? way;

/** NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length === 0) return NaN;
  return sorted.length % 2 === 1
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

const summaryOf = (samples: readonly Summary[], way: string) => samples.find((sample) => sample.way === way);

function medianOf({ samples }: Measured, way: string): number {
  return summaryOf(samples, way)?.median ?? NaN;
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

/** Medians of one way, and how many times as long the others take. */
function times({ measured }: Run, own: string, others: Record<string, string>): string {
  const rows = measured.map((one) => {
    const time = medianOf(one, own);
    const { name, bytes } = one.picture;
    return [
      `${name}, ${(bytes / 1e6).toFixed(1)} MB`,
      number(time, 1, ' ms'),
      ...Object.keys(others).map((way) => number(medianOf(one, way) / time, 2, 'x')),
    ];
  });
  return table([['picture', titleOf(own), ...Object.values(others)], ...rows]);
}

/** What a classification takes beside preparing the picture and one run of the network; and one of a file. */
function overheads({ measured }: Run): string {
  const rows = measured.map((one) => {
    const [prepare, network, bytes, file] = OWN_WAYS.map((way) => summaryOf(one.own, way)?.median);
    return [
      one.picture.name,
      ...[prepare, network, bytes, overheadOf(one), file].map((value) => number(value ?? NaN, 1, ' ms')),
    ];
  });
  const titles = ['picture', 'prepare', 'the network', 'classification', 'beside both', 'classification of a file'];
  return table([titles, ...rows]);
}

/** The median of the rounds' differences: what weighs on a whole round weighs on all three. */
function overheadOf({ own }: Measured): number {
  const [prepare = [], network = [], bytes = []] = OWN_WAYS.map((way) => summaryOf(own, way)?.times);
  return median(bytes.map((time, round) => time - (prepare[round] ?? NaN) - (network[round] ?? NaN)));
}

/** Mean distance of every other way's tensor, and the core's memory. */
function differences({ measured }: Run): string {
  const rows = measured.map(({ picture, samples, memory }) => {
    const of = (way: string) => samples.find((sample) => sample.way === way)?.difference ?? NaN;
    const others = Object.keys(TENSOR_WAYS).map((way) => number(of(way), 2, ''));
    return [picture.name, ...others, `${(memory / 2 ** 20).toFixed(1)} MiB`];
  });
  const others = Object.values(TENSOR_WAYS);
  return table([['mean difference to Dermlet, levels of 255', ...others, "Dermlet's memory"], ...rows]);
}

/** A row for everything that was asked of what this run measured. */
function targets(runs: Run[]): string {
  const rows: string[][] = [];
  const judge = (browser: string, what: string, asked: string, found: string, met: boolean | undefined) =>
    rows.push([`${browser}: ${what}`, asked, found, met === undefined ? 'not measured' : met ? 'met' : 'missed']);
  for (const { browser, measured } of runs) {
    for (const one of measured) {
      const { megapixels, progressive, name } = one.picture;
      for (const { way, atMost } of TIME_TARGETS.filter(
        (target) => target.megapixels === megapixels && (target.progressive ?? progressive) === progressive,
      )) {
        const ratio = medianOf(one, 'dermlet') / medianOf(one, way);
        judge(
          browser,
          `${name}, time over that of ${titleOf(way)}`,
          `<= ${atMost}`,
          number(ratio, 2, ''),
          Number.isNaN(ratio) ? undefined : ratio <= atMost,
        );
      }
      if (megapixels !== 12 || progressive) continue;
      const overhead = overheadOf(one);
      judge(
        browser,
        `${name}, classification beside preparing and the network's run`,
        `<= ${OVERHEAD_TARGET} ms`,
        number(overhead, 1, ' ms'),
        Number.isNaN(overhead) ? undefined : overhead <= OVERHEAD_TARGET,
      );
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
  return measured.flatMap(({ picture, samples, own }) =>
    [...samples, ...own.filter(({ way }) => summaryOf(samples, way)?.error === undefined)]
      .filter((sample) => sample.error !== undefined)
      .map((sample) => `${browser}: ${titleOf(sample.way)} cannot be measured on ${picture.name}: ${sample.error}`),
  );
}

export function report(runs: Run[]): string {
  const parts = runs.flatMap((run) => [
    `${run.browser}, bytes to normalised tensor: medians of ${run.rounds}, ` +
      'and how many times as long the other way takes' +
      (run.isolated ? '' : ' (not cross-origin isolated: no threads)'),
    times(run, 'dermlet', TENSOR_WAYS),
    differences(run),
    `${run.browser}, bytes to ranked classes`,
    times(run, 'classify-whole', ANSWER_WAYS),
    overheads(run),
    failures(run).join('\n'),
  ]);
  return ['', ...parts, targets(runs)].filter((part, i) => i === 0 || part !== '').join('\n\n');
}
