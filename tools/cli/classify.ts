/** `classify FILE|FOLDER...` */
import { parseArgs } from 'node:util';
import type { CallOptions } from '../../web/src/classifier/engine.js';
import { DermletError } from '../../web/src/classifier/errors.js';
import { withoutPictures, type Rect, type Result } from '../../web/src/classifier/result.js';
import { toDiagnosis, toPredict } from '../../web/src/handler/projections.js';
import { defaultModel, loadManifest } from './node-engine.js';
import { expand } from './pictures.js';
import { classifyAll, type Answer } from './pool.js';
import { describe, legend } from './terminal.js';
import { EXIT, positiveInteger, requireModality, UsageError } from './usage.js';

type Format = 'result' | 'predict' | 'diagnosis';

const project: Record<Format, (result: Result) => object> = { result: withoutPictures, predict: toPredict, diagnosis: toDiagnosis };

export interface Output {
  out(text: string): void;
  err(text: string): void;
  columns: number;
}

function parseCrop(text: string): Rect {
  const numbers = text.split(',').map((part) => (/^\s*\d+\s*$/.test(part) ? Number(part) : NaN));
  if (numbers.length !== 4 || numbers.some(Number.isNaN)) throw new UsageError(`--crop must be x,y,width,height in whole pixels, not '${text}'.`);
  const [x, y, width, height] = numbers as [number, number, number, number];
  return { x, y, width, height };
}

function parse(args: string[]) {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      json: { type: 'boolean', default: false },
      format: { type: 'string' },
      model: { type: 'string', default: defaultModel },
      modality: { type: 'string' },
      crop: { type: 'string' },
      explain: { type: 'boolean', default: false },
      jobs: { type: 'string', default: '1' },
    },
  });
  if (positionals.length === 0) throw new UsageError('classify needs at least one file or folder.');
  const format = values.format ?? 'result';
  if (!Object.hasOwn(project, format) || (values.format !== undefined && format === 'result')) {
    throw new UsageError(`--format must be predict or diagnosis, not '${format}'.`);
  }
  const options: CallOptions = {
    explain: values.explain,
    ...(values.modality === undefined ? {} : { modality: values.modality }),
    ...(values.crop === undefined ? {} : { crop: parseCrop(values.crop) }),
  };
  return {
    paths: positionals,
    options,
    model: values.model,
    jobs: positiveInteger(values.jobs, '--jobs'),
    // A retired server's answer is JSON by nature.
    json: values.json || format !== 'result',
    format: format as Format,
  };
}

const asJson = (file: string, answer: Answer, format: Format): object =>
  answer.ok ? { file, ...project[format](answer.result) } : { file, error: { code: answer.error.code, message: answer.error.message } };

/** @throws UsageError, DermletError when the engine cannot be started */
export async function classify(args: string[], { out, err, columns }: Output): Promise<number> {
  const { paths, options, model, jobs, json, format } = parse(args);
  const manifest = await loadManifest(model);
  requireModality(manifest, options.modality);
  const files = await expand(paths);
  if (files.length === 0) throw new UsageError('There are no pictures in what was given.');
  const answers: (Answer | undefined)[] = files.map(() => undefined);
  let told = 0;

  /** In the order of the files, as far as they are ready. */
  const tell = () => {
    for (let answer = answers[told]; answer; answer = answers[++told]) {
      const file = files[told]!;
      if (!answer.ok) err(`${file}: ${answer.error.code}: ${answer.error.message}\n`);
      else if (!json) out(`${describe(file, answer.result, columns)}\n\n`);
    }
  };

  await classifyAll(
    model,
    files.map((path) => ({ path, options })),
    jobs,
    (answer, index) => {
      answers[index] = answer;
      tell();
    },
  );
  const all = answers.map((answer, index) => asJson(files[index]!, answer ?? { ok: false, error: new DermletError('BACKEND_FAILED', 'no answer') }, format));
  if (json) out(`${JSON.stringify(paths.length === 1 && files.length === 1 && files[0] === paths[0] ? all[0] : all, null, 2)}\n`);
  else if (answers.some((answer) => answer?.ok)) out(`${legend(manifest.decision.coverage, columns)}\n`);
  return answers.every((answer) => answer?.ok) ? EXIT.fine : EXIT.failed;
}
