/** The printed report of `evaluate`. */

import { number } from '../../web/src/messages/index.js';
import type { Figures } from './evaluation.js';
import { CUTS, type FigureName, LEAST_GROUPS, type LesionFigures, type MainFigures } from './figures.js';
import type { PairFigures } from './pairs.js';
import { plain } from './plain.js';
import type { NegativeFigures } from './refusal.js';
import { say } from './say.js';
import type { Interval } from './statistics.js';

const fixed = (value: number | null | undefined, digits = 3): string =>
  value === null || value === undefined ? '–' : number(value, digits);
const ranged = (interval: Interval | null | undefined, digits = 3): string =>
  interval ? say('cli.report.interval', { from: fixed(interval[0], digits), to: fixed(interval[1], digits) }) : '';

/** Columns as wide as their widest cell; the first is left-aligned, the others right-aligned. */
export function table(given: readonly (readonly string[])[]): string {
  // Names of sets and labels are a stranger's.
  const rows = given.map((row) => row.map(plain));
  const widths = rows[0]!.map((_cell, column) => Math.max(...rows.map((row) => [...(row[column] ?? '')].length)));
  return rows
    .map((row) =>
      row
        .map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

interface Line {
  title: string;
  name?: FigureName;
  value: (figures: MainFigures) => number | null | undefined;
}

/** One line per figure. */
function lines({ positive, malignant }: MainFigures, coverage: string): Line[] {
  const ofPositive = (id: string): Line[] => [
    { title: say('cli.report.positiveAuc', { class: id }), name: 'positiveAuc', value: (own) => own.positive?.auc },
    {
      title: say('cli.report.positiveSensitivity', { class: id }),
      name: 'positiveSensitivityAt95Specificity',
      value: (own) => own.positive?.sensitivityAt95Specificity,
    },
    {
      title: say('cli.report.positiveCoverage', { class: id }),
      name: 'positiveCoverage',
      value: (own) => own.positive?.coverage,
    },
  ];
  const ofMalignant = (classes: string): Line => ({
    title: say('cli.report.malignantAuc', { classes }),
    name: 'malignantAuc',
    value: (own) => own.malignant?.auc,
  });
  const positiveLow = (id: string): Line => ({
    title: say('cli.report.positiveLow', { class: id }),
    name: 'positiveLow',
    value: (own) => own.tiers.positiveLow,
  });
  return [
    { title: say('cli.report.accuracy'), name: 'accuracy', value: (own) => own.accuracy },
    { title: say('cli.report.balancedAccuracy'), name: 'balancedAccuracy', value: (own) => own.balancedAccuracy },
    { title: say('cli.report.macroAuc'), name: 'macroAuc', value: (own) => own.macroAuc },
    ...(positive ? ofPositive(positive.class) : []),
    ...(malignant ? [ofMalignant(malignant.classes.join(' + '))] : []),
    { title: say('cli.report.calibrationError'), name: 'calibrationError', value: (own) => own.calibrationError },
    { title: `  ${say('cli.report.perfectMedian')}`, value: (own) => own.calibrationErrorIfPerfect.median },
    { title: `  ${say('cli.report.perfectPercentile')}`, value: (own) => own.calibrationErrorIfPerfect.percentile95 },
    { title: coverage, name: 'coverage', value: (own) => own.predictionSets.coverage },
    { title: say('cli.report.meanSetSize'), name: 'meanSetSize', value: (own) => own.predictionSets.meanSize },
    { title: say('cli.report.shareSingle'), value: (own) => own.predictionSets.shareSingle },
    { title: say('cli.report.shareRefused'), name: 'shareRefused', value: (own) => own.shareRefused },
    {
      title: say('cli.report.tierHighSensitivity'),
      name: 'tierHighSensitivity',
      value: (own) => own.tiers.high.sensitivity,
    },
    {
      title: say('cli.report.tierHighSpecificity'),
      name: 'tierHighSpecificity',
      value: (own) => own.tiers.high.specificity,
    },
    {
      title: say('cli.report.tierLowSensitivity'),
      name: 'tierLowSensitivity',
      value: (own) => own.tiers.low.sensitivity,
    },
    {
      title: say('cli.report.tierLowSpecificity'),
      name: 'tierLowSpecificity',
      value: (own) => own.tiers.low.specificity,
    },
    { title: say('cli.report.malignantLow'), name: 'malignantLow', value: (own) => own.tiers.malignantLow },
    ...(positive ? [positiveLow(positive.class)] : []),
    { title: say('cli.report.benignLow'), name: 'benignLow', value: (own) => own.tiers.benignLow },
    { title: say('cli.report.benignHigh'), name: 'benignHigh', value: (own) => own.tiers.benignHigh },
  ];
}

/** Says how many lesions or patients there are of the classes that have few; nothing where none has. */
function few(rows: Record<string, MainFigures>): string[] {
  return Object.entries(rows).flatMap(([name, own]) => {
    const classes = Object.entries(own.few).map(([id, groups]) => `${plain(id)} ${number(groups)}`);
    return classes.length === 0
      ? []
      : [say('cli.report.few', { name: plain(name), classes: classes.join(', '), least: number(LEAST_GROUPS) })];
  });
}

function main(figures: MainFigures): string {
  return table(
    lines(figures, say('cli.report.coverageAnswered', { count: figures.predictionSets.answered })).map(
      ({ title, name, value }) => [title, fixed(value(figures)), ranged(name && figures.intervals[name])],
    ),
  );
}

function perClass({ perClass: classes }: LesionFigures): string {
  const rows = Object.entries(classes).map(([id, own]) => [
    id,
    String(own.pictures),
    fixed(own.recall),
    fixed(own.precision),
    fixed(own.auc),
    fixed(own.coverage),
    fixed(own.meanSetSize, 2),
  ]);
  const header = [
    say('cli.report.class'),
    say('cli.report.pictures'),
    say('cli.report.recall'),
    say('cli.report.precision'),
    say('cli.report.auc'),
    say('cli.report.setCoverage'),
    say('cli.report.setSize'),
  ];
  return table([header, ...rows]);
}

const partColumns = (): string[] => [
  say('cli.report.pictures'),
  say('cli.report.accuracy'),
  say('cli.report.balanced'),
  say('cli.report.macro'),
  say('cli.report.positive'),
  say('cli.report.malignantColumn'),
  say('cli.report.calibration'),
  say('cli.report.setCoverage'),
  say('cli.report.refused'),
];

const partCells = (own: MainFigures): string[] => [
  String(own.pictures),
  fixed(own.accuracy),
  fixed(own.balancedAccuracy),
  fixed(own.macroAuc),
  fixed(own.positive?.auc),
  fixed(own.malignant?.auc),
  fixed(own.calibrationError),
  fixed(own.predictionSets.coverage),
  fixed(own.shareRefused),
];

function parts(title: string, groups: Record<string, MainFigures>): string {
  const rows = Object.entries(groups).map(([name, own]) => [name, ...partCells(own)]);
  return [table([[title, ...partColumns()], ...rows]), ...few(groups)].join('\n');
}

function tones({ bySkinTone }: Figures): string {
  const all = Object.entries(bySkinTone).flatMap(([set, own]) =>
    Object.entries(own).map(([tone, figures]) => ({ name: `${set} ${tone}`, ...figures })),
  );
  const enough = Object.fromEntries(all.flatMap(({ name, figures }) => (figures ? [[name, figures]] : [])));
  const tooFew = all
    .filter(({ figures }) => !figures)
    .map(({ name, pictures, groups }) =>
      say('cli.report.tooFew', { name, count: pictures, groups: number(groups), least: number(LEAST_GROUPS) }),
    );
  return [parts(say('cli.report.tone'), enough), ...tooFew].join('\n');
}

/** The column after each figure holds its interval. */
const tierColumns = (): string[] => [
  say('cli.report.malignant'),
  ...[
    say('cli.report.highSensitivity'),
    say('cli.report.specificity'),
    say('cli.report.lowSensitivity'),
    say('cli.report.specificity'),
    say('cli.report.positiveInLow'),
  ].flatMap((title) => [title, '']),
  say('cli.report.benign'),
  ...[say('cli.report.inLow'), say('cli.report.inHigh')].flatMap((title) => [title, '']),
];

function tierCells({ tiers, intervals }: MainFigures): string[] {
  const cell = (value: number | null, name: FigureName) => [fixed(value, 2), ranged(intervals[name], 2)];
  return [
    String(tiers.malignant.pictures),
    ...cell(tiers.high.sensitivity, 'tierHighSensitivity'),
    ...cell(tiers.high.specificity, 'tierHighSpecificity'),
    ...cell(tiers.low.sensitivity, 'tierLowSensitivity'),
    ...cell(tiers.low.specificity, 'tierLowSpecificity'),
    ...cell(tiers.positiveLow, 'positiveLow'),
    String(tiers.benign.pictures),
    ...cell(tiers.benignLow, 'benignLow'),
    ...cell(tiers.benignHigh, 'benignHigh'),
  ];
}

/** Tiers by kind of picture, then both cuts by modality, set and skin tone. */
function tiers({ overall, byModality, bySet, bySkinTone }: Figures): string[] {
  const kinds = [
    [say('cli.report.malignant'), overall.tiers.malignant],
    [overall.positive?.class ?? '', overall.tiers.positive],
    [say('cli.report.others'), overall.tiers.others],
    [`  ${say('cli.report.ofLowConcern')}`, overall.tiers.benign],
  ] as const;
  const header = [
    say('cli.report.tiers'),
    say('cli.report.pictures'),
    say('cli.report.low'),
    say('cli.report.moderate'),
    say('cli.report.high'),
  ];
  const counts = kinds.flatMap(([name, own]) =>
    own ? [[name, ...[own.pictures, own.low, own.moderate, own.high].map(String)]] : [],
  );
  const tones = Object.entries(bySkinTone).flatMap(([set, own]) =>
    Object.entries(own).flatMap(([tone, { figures }]) => (figures ? [[`${set} ${tone}`, figures] as const] : [])),
  );
  const rows = [...Object.entries(byModality), ...Object.entries(bySet), ...tones].map(([name, own]) => [
    name,
    ...tierCells(own),
  ]);
  const best = Object.entries(byModality).map(([name, { tiers }]) => [
    name,
    fixed(tiers.benignLow, 2),
    fixed(tiers.best.benignLow, 2),
    fixed(tiers.benignHigh, 2),
    fixed(tiers.best.benignHigh, 2),
  ]);
  const bestHeader = [
    say('cli.report.bestCuts'),
    say('cli.report.benignLow'),
    say('cli.report.best'),
    say('cli.report.benignHigh'),
    say('cli.report.best'),
  ];
  return [
    table([header, ...counts]),
    table([[say('cli.report.tierBy'), ...tierColumns()], ...rows]),
    table([bestHeader, ...best]),
    say('cli.report.bestIs', {
      malignantLow: String(100 * CUTS.malignantLow),
      positiveLow: String(100 * CUTS.positiveLow),
      malignantHigh: String(100 * CUTS.malignantHigh),
    }),
  ];
}

function refusal({ refusal: figures }: Figures): string[] {
  if (!figures) return [];
  const row = (name: string, own: NegativeFigures): string[] => [
    name,
    String(own.pictures),
    fixed(own.shareRefused),
    fixed(own.shareSingle),
    fixed(own.auroc),
    ranged(own.intervals.auroc, 2),
    fixed(own.aurocUncertainty),
    ranged(own.intervals.aurocUncertainty, 2),
  ];
  const kinds = Object.entries(figures.byKind);
  return [
    say('cli.report.negatives', {
      share: fixed(figures.lesionsRefused),
      interval: ranged(figures.lesionsRefusedInterval),
    }),
    table([
      [
        say('cli.report.label'),
        say('cli.report.pictures'),
        say('cli.report.refused'),
        say('cli.report.shownAsSingle'),
        say('cli.report.refusalAuroc'),
        '',
        say('cli.report.uncertaintyAuroc'),
        '',
      ],
      ...Object.entries(figures.byLabel).map(([name, own]) => row(name, own)),
      ...(kinds.length > 30 ? [] : kinds.map(([name, own]) => row(`  ${name}`, own))),
    ]),
  ];
}

function pairs({ lesions, modalities, alone, together, difference }: PairFigures): string {
  const rows = lines(together, say('cli.report.coverage'))
    .filter(({ name }) => name !== undefined)
    .map(({ title, name, value }) => [
      title,
      ...modalities.map((id) => fixed(value(alone[id]!))),
      fixed(value(together)),
      ...modalities.map((id) => {
        const own = difference[id]![name!];
        return own?.value == null ? '–' : `${own.value < 0 ? '' : '+'}${fixed(own.value)} ${ranged(own.interval)}`;
      }),
    ]);
  const header = [
    say('cli.report.pairs', { count: lesions }),
    ...modalities,
    say('cli.report.together'),
    ...modalities.map((modality) => say('cli.report.difference', { modality })),
  ];
  return [table([header, ...rows]), ...few({ [say('cli.report.together')]: together })].join('\n');
}

export function report(figures: Figures): string {
  const { overall } = figures;
  const partFigures = Object.fromEntries(Object.entries(figures.parts).map(([name, { lesions }]) => [name, lesions]));
  const sections = [
    say('cli.report.title', { pictures: overall.pictures, groups: overall.groups }),
    ...(overall.pictures > 0 ? [main(overall), perClass(overall), ...few({ [say('cli.report.all')]: overall })] : []),
    ...(Object.keys(partFigures).length > 0 ? [parts(say('cli.report.part'), partFigures)] : []),
    ...(Object.keys(figures.bySet).length > 1 ? [parts(say('cli.report.set'), figures.bySet)] : []),
    ...(Object.keys(figures.byModality).length > 1 ? [parts(say('cli.report.modality'), figures.byModality)] : []),
    ...(Object.keys(figures.bySkinTone).length > 0 ? [tones(figures)] : []),
    ...(overall.pictures > 0 ? tiers(figures) : []),
    ...refusal(figures),
    ...(figures.pairs ? [pairs(figures.pairs)] : []),
  ];
  return `${sections.join('\n\n')}\n`;
}
