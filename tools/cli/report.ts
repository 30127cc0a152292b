/** Figures for people. */
import type { Figures } from './evaluation.js';
import { type FigureName, LEAST_GROUPS, type LesionFigures, type MainFigures } from './figures.js';
import type { PairFigures } from './pairs.js';
import type { NegativeFigures } from './refusal.js';
import type { Interval } from './statistics.js';

const fixed = (value: number | null | undefined, digits = 3): string =>
  value === null || value === undefined ? '–' : value.toFixed(digits);
const ranged = (interval: Interval | null | undefined, digits = 3): string =>
  interval ? `(${fixed(interval[0], digits)} to ${fixed(interval[1], digits)})` : '';

/** Columns as wide as their widest cell; the first is aligned left. */
export function table(rows: readonly (readonly string[])[]): string {
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

/** The figures that have a name of their own in a report. */
function lines({ positive, malignant, predictionSets }: MainFigures): Line[] {
  return [
    { title: 'accuracy', name: 'accuracy', value: (own) => own.accuracy },
    { title: 'balanced accuracy', name: 'balancedAccuracy', value: (own) => own.balancedAccuracy },
    { title: 'macro AUC, one against the rest', name: 'macroAuc', value: (own) => own.macroAuc },
    ...(positive
      ? ([
          { title: `${positive.class} AUC`, name: 'positiveAuc', value: (own) => own.positive?.auc },
          {
            title: `${positive.class} sensitivity at 95 % specificity`,
            name: 'positiveSensitivityAt95Specificity',
            value: (own) => own.positive?.sensitivityAt95Specificity,
          },
          {
            title: `coverage of ${positive.class} by prediction sets`,
            name: 'positiveCoverage',
            value: (own) => own.positive?.coverage,
          },
        ] satisfies Line[])
      : []),
    ...(malignant
      ? ([
          {
            title: `${malignant.classes.join(' + ')} against the rest, AUC`,
            name: 'malignantAuc',
            value: (own) => own.malignant?.auc,
          },
        ] satisfies Line[])
      : []),
    { title: 'calibration error, 15 bins', name: 'calibrationError', value: (own) => own.calibrationError },
    { title: '  if perfectly calibrated: median', value: (own) => own.calibrationErrorIfPerfect.median },
    { title: '  if perfectly calibrated: 95th percentile', value: (own) => own.calibrationErrorIfPerfect.percentile95 },
    {
      title: `coverage of prediction sets (${predictionSets.answered} answered)`,
      name: 'coverage',
      value: (own) => own.predictionSets.coverage,
    },
    { title: 'mean size of prediction sets', name: 'meanSetSize', value: (own) => own.predictionSets.meanSize },
    { title: 'share with one class in the set', value: (own) => own.predictionSets.shareSingle },
    { title: 'share refused or unusable', name: 'shareRefused', value: (own) => own.shareRefused },
    {
      title: 'tier high: sensitivity, malignant in it',
      name: 'tierHighSensitivity',
      value: (own) => own.tiers.high.sensitivity,
    },
    {
      title: 'tier high: specificity, others below it',
      name: 'tierHighSpecificity',
      value: (own) => own.tiers.high.specificity,
    },
    {
      title: 'tier low: sensitivity, malignant above it',
      name: 'tierLowSensitivity',
      value: (own) => own.tiers.low.sensitivity,
    },
    {
      title: 'tier low: specificity, others in it',
      name: 'tierLowSpecificity',
      value: (own) => own.tiers.low.specificity,
    },
    { title: 'tier low: share of malignant', name: 'malignantLow', value: (own) => own.tiers.malignantLow },
    ...(positive
      ? ([
          { title: `tier low: share of ${positive.class}`, name: 'positiveLow', value: (own) => own.tiers.positiveLow },
        ] satisfies Line[])
      : []),
    { title: 'tier low: share of benign', name: 'benignLow', value: (own) => own.tiers.benignLow },
    { title: 'tier high: share of benign', name: 'benignHigh', value: (own) => own.tiers.benignHigh },
  ];
}

function main(figures: MainFigures): string {
  return table(
    lines(figures).map(({ title, name, value }) => [
      title,
      fixed(value(figures)),
      ranged(name && figures.intervals[name]),
    ]),
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
  return table([['class', 'pictures', 'recall', 'precision', 'AUC', 'coverage', 'set size'], ...rows]);
}

const PART_COLUMNS = [
  'pictures',
  'accuracy',
  'balanced',
  'macro AUC',
  'positive AUC',
  'malignant AUC',
  'calibration',
  'coverage',
  'refused',
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
  return table([[title, ...PART_COLUMNS], ...Object.entries(groups).map(([name, own]) => [name, ...partCells(own)])]);
}

function tones({ bySkinTone }: Figures): string {
  const rows = Object.entries(bySkinTone).flatMap(([set, own]) =>
    Object.entries(own).map(([tone, { pictures, groups, figures }]) => {
      const cells = figures ? partCells(figures).slice(1) : [`too few to say (${groups} of ${LEAST_GROUPS} groups)`];
      return [`${set} ${tone}`, String(pictures), ...cells];
    }),
  );
  const [header, few] = [['set and skin tone', ...PART_COLUMNS], rows.filter((row) => row.length === 3)];
  const enough = rows.filter((row) => row.length > 3);
  return [
    table([header, ...enough]),
    ...few.map(([name, pictures, why]) => `${name}: ${pictures} pictures, ${why}`),
  ].join('\n');
}

const TIER_COLUMNS = [
  'malignant',
  'high: sensitivity',
  '',
  'specificity',
  '',
  'low: sensitivity',
  '',
  'specificity',
  '',
  'positive in low',
  '',
  'benign',
  'in low',
  '',
  'in high',
  '',
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

/** Tier against class of all, then the two cuts by modality, set and skin tone. */
function tiers({ overall, byModality, bySet, bySkinTone }: Figures): string[] {
  const kinds = {
    malignant: overall.tiers.malignant,
    [overall.positive?.class ?? '']: overall.tiers.positive,
    others: overall.tiers.others,
    '  of them of low concern': overall.tiers.benign,
  };
  const counts = Object.entries(kinds).flatMap(([name, own]) =>
    own ? [[name, ...[own.pictures, own.low, own.moderate, own.high].map(String)]] : [],
  );
  const tones = Object.entries(bySkinTone).flatMap(([set, own]) =>
    Object.entries(own).flatMap(([tone, { figures }]) => (figures ? [[`${set} ${tone}`, figures] as const] : [])),
  );
  const rows = [...Object.entries(byModality), ...Object.entries(bySet), ...tones].map(([name, own]) => [
    name,
    ...tierCells(own),
  ]);
  return [
    table([['concern tier of answered pictures', 'pictures', 'low', 'moderate', 'high'], ...counts]),
    table([['tier by modality, set, skin tone', ...TIER_COLUMNS], ...rows]),
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
    `Pictures of none of the classes. Real lesions refused: ${fixed(figures.lesionsRefused)} ` +
      `${ranged(figures.lesionsRefusedInterval)}`,
    table([
      ['label', 'pictures', 'refused', 'shown as single', 'refusal AUROC', '', 'uncertainty AUROC', ''],
      ...Object.entries(figures.byLabel).map(([name, own]) => row(name, own)),
      ...(kinds.length > 30 ? [] : kinds.map(([name, own]) => row(`  ${name}`, own))),
    ]),
  ];
}

function pairs({ lesions, modalities, alone, together, difference }: PairFigures): string {
  const rows = lines(together)
    .filter(({ name }) => name !== undefined)
    .map(({ title, name, value }) => [
      title.replace(/ \(\d+ answered\)/, ''),
      ...modalities.map((id) => fixed(value(alone[id]!))),
      fixed(value(together)),
      ...modalities.map((id) => {
        const own = difference[id]![name!];
        return own?.value == null ? '–' : `${own.value < 0 ? '' : '+'}${fixed(own.value)} ${ranged(own.interval)}`;
      }),
    ]);
  const header = [
    `${lesions} lesions with both pictures`,
    ...modalities,
    'both together',
    ...modalities.map((id) => `both less ${id}`),
  ];
  return table([header, ...rows]);
}

export function report(figures: Figures): string {
  const { overall } = figures;
  const partFigures = Object.fromEntries(Object.entries(figures.parts).map(([name, { lesions }]) => [name, lesions]));
  const sections = [
    `${overall.pictures} pictures of the model's classes in ${overall.groups} groups (in brackets: 95 % ` +
      'interval by bootstrap over groups)',
    ...(overall.pictures > 0 ? [main(overall), perClass(overall)] : []),
    ...(Object.keys(partFigures).length > 0 ? [parts('part', partFigures)] : []),
    ...(Object.keys(figures.bySet).length > 1 ? [parts('set', figures.bySet)] : []),
    ...(Object.keys(figures.byModality).length > 1 ? [parts('modality', figures.byModality)] : []),
    ...(Object.keys(figures.bySkinTone).length > 0 ? [tones(figures)] : []),
    ...(overall.pictures > 0 ? tiers(figures) : []),
    ...refusal(figures),
    ...(figures.pairs ? [pairs(figures.pairs)] : []),
  ];
  return `${sections.join('\n\n')}\n`;
}
