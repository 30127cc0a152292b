/** Figures for people. */
import type { Figures, LesionFigures, NegativeFigures } from './figures.js';

const fixed = (value: number | null | undefined, digits = 3): string => (value === null || value === undefined ? '–' : value.toFixed(digits));

/** Columns as wide as their widest cell; the first is aligned left. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_cell, column) => Math.max(...rows.map((row) => [...(row[column] ?? '')].length)));
  return rows.map((row) => row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  ').trimEnd()).join('\n');
}

function mainFigures(figures: LesionFigures): string {
  const row = (name: string, value: number | null | undefined, interval?: string): string[] => {
    const range = interval === undefined ? undefined : figures.intervals[interval];
    return [name, fixed(value), range ? `(${fixed(range[0])} to ${fixed(range[1])})` : ''];
  };
  const { positive, predictionSets } = figures;
  return table([
    row('accuracy', figures.accuracy, 'accuracy'),
    row('balanced accuracy', figures.balancedAccuracy, 'balancedAccuracy'),
    row('macro AUC, one against the rest', figures.macroAuc, 'macroAuc'),
    ...(positive
      ? [
          row(`${positive.class} AUC`, positive.auc, 'positiveAuc'),
          row(`${positive.class} sensitivity at 95 % specificity`, positive.sensitivityAt95Specificity, 'positiveSensitivityAt95Specificity'),
        ]
      : []),
    row('calibration error, 15 bins', figures.calibrationError, 'calibrationError'),
    row(`coverage of prediction sets (${predictionSets.answered} answered)`, predictionSets.coverage, 'coverage'),
    row('mean size of prediction sets', predictionSets.meanSize),
    row('share with one class in the set', predictionSets.shareSingle),
    row('share refused or unusable', figures.shareRefused),
  ]);
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

function parts(title: string, groups: Record<string, LesionFigures>): string {
  const rows = Object.entries(groups).map(([name, own]) => [
    name,
    String(own.pictures),
    fixed(own.accuracy),
    fixed(own.balancedAccuracy),
    fixed(own.macroAuc),
    fixed(own.positive?.auc),
    fixed(own.calibrationError),
    fixed(own.predictionSets.coverage),
    fixed(own.shareRefused),
  ]);
  return table([[title, 'pictures', 'accuracy', 'balanced', 'macro AUC', 'positive AUC', 'calibration', 'coverage', 'refused'], ...rows]);
}

function refusal({ refusal: figures }: Figures): string[] {
  if (!figures) return [];
  const row = (name: string, own: NegativeFigures): string[] => [name, String(own.pictures), fixed(own.shareRefused), fixed(own.shareSingle), fixed(own.auroc)];
  const range = figures.aurocInterval;
  const kinds = Object.entries(figures.byKind);
  return [
    `Pictures of none of the classes: refusal AUROC ${fixed(figures.auroc)}${range ? ` (${fixed(range[0])} to ${fixed(range[1])})` : ''}, real lesions refused ${fixed(figures.lesionsRefused)}`,
    table([
      ['label', 'pictures', 'refused', 'shown as single', 'AUROC'],
      ...Object.entries(figures.byLabel).map(([name, own]) => row(name, own)),
      ...(kinds.length > 30 ? [] : kinds.map(([name, own]) => row(`  ${name}`, own))),
    ]),
  ];
}

export function report(figures: Figures): string {
  const { overall } = figures;
  const sections = [
    `${overall.pictures} pictures of the model's classes in ${overall.groups} groups (in brackets: 95 % interval by bootstrap over groups)`,
    ...(overall.pictures > 0 ? [mainFigures(overall), perClass(overall)] : []),
    ...(Object.keys(figures.bySet).length > 1 ? [parts('set', figures.bySet)] : []),
    ...(Object.keys(figures.byModality).length > 1 ? [parts('modality', figures.byModality)] : []),
    ...refusal(figures),
  ];
  return `${sections.join('\n\n')}\n`;
}
