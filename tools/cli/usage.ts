import type { Crop, ModelInfo } from '../../web/src/classifier/node/index.js';
import { PROJECTIONS } from '../../web/src/handler/index.js';
import { say } from './say.js';
import { wrap } from './terminal.js';

/** Invalid use of the command line: exit status 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** The given file or folder cannot be written. */
export const unwritable = (path: string, error: unknown): UsageError =>
  new UsageError(say('cli.error.unwritable', { path, reason: reasonOf(error) }));

/** A whole number of at least 1. @throws UsageError */
export function positiveInteger(text: string, option: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < 1)
    throw new UsageError(say('cli.error.positiveInteger', { option, text }));
  return value;
}

/** A number above 0. @throws UsageError */
export function positiveNumber(text: string, option: string): number {
  const value = Number(text);
  if (!/^\d+(\.\d+)?$/.test(text) || !(value > 0) || value > 1e6)
    throw new UsageError(say('cli.error.positiveNumber', { option, text }));
  return value;
}

/** @throws UsageError */
export function parseCrop(text: string): Crop {
  if (text === 'auto' || text === 'whole') return text;
  const numbers = text.split(',').map((part) => (/^\s*\d+\s*$/.test(part) ? Number(part) : NaN));
  if (numbers.length !== 4 || numbers.some(Number.isNaN)) throw new UsageError(say('cli.error.crop', { text }));
  const [x, y, width, height] = numbers as [number, number, number, number];
  return { x, y, width, height };
}

/** @throws UsageError when the model does not know it */
export function requireModality({ modalities }: ModelInfo, id: string | undefined): void {
  if (id === undefined || modalities.includes(id)) return;
  throw new UsageError(say('cli.error.modality', { id, known: modalities.join(', ') }));
}

/** Exit statuses, an interface: scripts switch on them. */
export const EXIT = { fine: 0, failed: 1, usage: 2 } as const;

/** How to call a command: by npm in a checkout, else by the package's bin. */
const call = (command: string): string =>
  import.meta.url.endsWith('.ts') ? `npm run ${command} --` : `dermlet ${command}`;

const formats = Object.keys(PROJECTIONS).join('|');

/** How each command is called; not translated. */
const synopses = () =>
  ({
    classify: [
      [
        `${call('classify')} FILE|FOLDER... [--json] [--format ${formats}] [--model NAME|FOLDER]`,
        '[--modality auto|ID] [--crop auto|whole|x,y,w,h] [--test-time-augmentation] [--explain] [--jobs N]',
        '[--ndjson] [--output FILE] [--resume] [--timeout SECONDS] [--shard i/n] [--head FILE] [--atlas FILE]',
        '[--beside NAME|FOLDER] [--dicom-sr FOLDER [--names]]',
      ],
      [
        `${call('classify')} FILE FILE --lesion [--modality ID,ID] [--crop auto|whole] [--json]`,
        `[--format ${formats}] [--model NAME|FOLDER] [--test-time-augmentation] [--explain]`,
      ],
    ],
    evaluate: [
      [
        `${call('evaluate')} --labels LABELS.csv --images DIR --json OUT.json [--predictions OUT.csv]`,
        '[--set NAME[,NAME]] [--split NAME] [--modality ID] [--merge FROM:INTO[,FROM:INTO]]',
        '[--part NAME:SET[,SET][:FROM:INTO[,FROM:INTO]]] [--positive ID] [--malignant ID[,ID]]',
        '[--pairs] [--test-time-augmentation] [--crop auto|whole] [--model NAME|FOLDER] [--jobs N]',
        '[--timeout SECONDS] [--shard i/n] [--resume] [--head FILE]',
      ],
    ],
    merge: [[`${call('merge')} FILE... --output OUT.ndjson | --json OUT.json [--predictions OUT.csv]`]],
    serve: [
      [
        `${call('serve')} [--port N] [--host ADDRESS] [--jobs N] [--queue N] [--max-file MIB]`,
        '[--body-timeout SECONDS] [--timeout SECONDS] [--allow-origin ORIGIN] [--allow-host NAME]',
        '[--later] [--model NAME|FOLDER] [--head FILE]',
      ],
    ],
    retrain: [
      [
        `${call('retrain')} --images DIR [--out FILE] [--title TEXT] [--classes FILE.json]`,
        '[--model NAME|FOLDER] [--modality ID] [--crop auto|whole] [--penalty NUMBER] [--as-counted]',
        '[--export DIR] [--jobs N] [--timeout SECONDS]',
      ],
    ],
    'export-head': [[`${call('export-head')} --head FILE --out DIR [--model NAME|FOLDER]`]],
    atlas: [
      [
        `${call('atlas')} --images DIR --out FILE [--title TEXT] [--model NAME|FOLDER]`,
        '[--modality ID] [--crop auto|whole] [--names] [--jobs N] [--timeout SECONDS]',
      ],
    ],
    'check-model': [
      [`${call('check-model')} DIR [--write] [--images DIR] [--runs N] [--jobs N] [--timeout SECONDS] [--json]`],
    ],
    'copy-assets': [['dermlet copy-assets DIR']],
  }) satisfies Record<string, string[][]>;

export type CommandName = keyof ReturnType<typeof synopses>;

/** Those of one command, or of all. */
function calls(name?: CommandName): string[] {
  const all = synopses();
  const lines = name === undefined ? Object.values(all).flat() : all[name];
  return [say('cli.usage.title'), ...lines.map((parts) => `  ${parts.join(`\n${' '.repeat(22)}`)}`)];
}

/** What each command does, and what its options mean, at most `columns` wide. */
function abouts(columns: number): Record<CommandName, string[]> {
  const WIDTH = 14;
  const option = (name: string, about: string) => wrap(about, columns, ' '.repeat(WIDTH), `  --${name} `.padEnd(WIDTH));
  const command = (name: string, about: string) => wrap(about, columns, ' '.repeat(name.length + 2), `${name}  `);
  return {
    classify: [
      command('classify', say('cli.usage.classify')),
      option('json', say('cli.usage.classify.json')),
      option('ndjson', say('cli.usage.classify.ndjson')),
      option('output', say('cli.usage.classify.output')),
      option('resume', say('cli.usage.classify.resume')),
      option('format', say('cli.usage.classify.format')),
      option('modality', say('cli.usage.classify.modality')),
      option('crop', say('cli.usage.classify.crop')),
      option('lesion', say('cli.usage.classify.lesion')),
      option('test-time-augmentation', say('cli.usage.classify.testTimeAugmentation')),
      option('explain', say('cli.usage.classify.explain')),
      option('jobs', say('cli.usage.classify.jobs')),
      option('timeout', say('cli.usage.classify.timeout')),
      option('shard', say('cli.usage.shard')),
      option('head', say('cli.usage.classify.head')),
      option('atlas', say('cli.usage.classify.atlas')),
      option('beside', say('cli.usage.classify.beside')),
      option('dicom-sr', say('cli.usage.classify.dicomSr')),
      option('names', say('cli.usage.classify.names')),
    ],
    evaluate: [
      command('evaluate', say('cli.usage.evaluate')),
      option('modality', say('cli.usage.evaluate.modality')),
      option('crop', say('cli.usage.evaluate.crop')),
      option('merge', say('cli.usage.evaluate.merge')),
      option('part', say('cli.usage.evaluate.part')),
      option('pairs', say('cli.usage.evaluate.pairs')),
      option('test-time-augmentation', say('cli.usage.evaluate.testTimeAugmentation')),
      option('positive', say('cli.usage.evaluate.positive')),
      option('malignant', say('cli.usage.evaluate.malignant')),
      option('shard', say('cli.usage.evaluate.shard')),
      option('resume', say('cli.usage.evaluate.resume')),
      option('head', say('cli.usage.evaluate.head')),
      wrap(say('cli.usage.evaluate.labels'), columns),
    ],
    merge: [command('merge', say('cli.usage.merge'))],
    serve: [
      command('serve', say('cli.usage.serve')),
      option('port', say('cli.usage.serve.port')),
      option('host', say('cli.usage.serve.host')),
      option('jobs', say('cli.usage.serve.jobs')),
      option('queue', say('cli.usage.serve.queue')),
      option('max-file', say('cli.usage.serve.maxFile')),
      option('body-timeout', say('cli.usage.serve.bodyTimeout')),
      option('timeout', say('cli.usage.serve.timeout')),
      option('allow-origin', say('cli.usage.serve.allowOrigin')),
      option('allow-host', say('cli.usage.serve.allowHost')),
      option('later', say('cli.usage.serve.later')),
    ],
    retrain: [
      command('retrain', say('cli.usage.retrain')),
      option('images', say('cli.usage.retrain.images')),
      option('out', say('cli.usage.retrain.out')),
      option('export', say('cli.usage.retrain.export')),
      option('classes', say('cli.usage.retrain.classes')),
      option('crop', say('cli.usage.retrain.crop')),
      option('penalty', say('cli.usage.retrain.penalty')),
      option('as-counted', say('cli.usage.retrain.asCounted')),
    ],
    'export-head': [command('export-head', say('cli.usage.exportHead'))],
    atlas: [command('atlas', say('cli.usage.atlas')), option('names', say('cli.usage.atlas.names'))],
    'check-model': [
      command('check-model', say('cli.usage.checkModel')),
      option('write', say('cli.usage.checkModel.write')),
      option('images', say('cli.usage.checkModel.images')),
      option('runs', say('cli.usage.checkModel.runs')),
    ],
    'copy-assets': [command('copy-assets', say('cli.usage.copyAssets'))],
  };
}

/** The text of `--help`, of one command or of all. */
export function usage(columns: number, name?: CommandName): string {
  const about = abouts(columns);
  const parts = name === undefined ? Object.values(about) : [about[name]];
  const rest = [say('cli.usage.model'), say('cli.usage.status')].map((text) => [wrap(text, columns)]);
  return [calls(name), ...parts, ...rest].map((lines) => lines.join('\n')).join('\n\n');
}

/** What stands under an error: how the command is called, or which commands there are. */
export function usageInShort(name?: CommandName): string {
  const more = name === undefined ? [] : ['', say('cli.usage.more', { call: `${call(name)} --help` })];
  return [...calls(name), ...more].join('\n');
}
