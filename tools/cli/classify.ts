/** `classify FILE|FOLDER...`, or `classify FILE FILE --lesion`. */
import { parseArgs } from 'node:util';
import { DermletError, type Result, withoutImages } from '../../web/src/classifier/node/index.js';
import { PROJECTIONS } from '../../web/src/handler/index.js';
import { say } from '../../web/src/messages/cli.js';
import { list, number } from '../../web/src/messages/index.js';
import { defaultModel, modelOf } from './model.js';
import { expand } from './pictures.js';
import { type Answer, classifyAll, type Task, type TaskPicture } from './pool.js';
import { describe, legend } from './terminal.js';
import { EXIT, parseCrop, positiveInteger, requireModality, UsageError } from './usage.js';

const project = { ...PROJECTIONS, result: withoutImages } satisfies Record<string, (result: Result) => object>;
type Format = keyof typeof project;

export interface Output {
  out(text: string): void;
  err(text: string): void;
  columns: number;
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
      'test-time-augmentation': { type: 'boolean', default: false },
      lesion: { type: 'boolean', default: false },
      jobs: { type: 'string', default: '1' },
    },
  });
  if (positionals.length === 0) throw new UsageError(say('cli.error.noFile'));
  const format = values.format ?? 'result';
  if (!Object.hasOwn(project, format) || (values.format !== undefined && format === 'result')) {
    throw new UsageError(say('cli.error.format', { known: list(Object.keys(PROJECTIONS), 'or'), format }));
  }
  const { lesion, crop, explain, 'test-time-augmentation': testTimeAugmentation } = values;
  if (lesion && positionals.length !== 2)
    throw new UsageError(say('cli.error.lesionFiles', { count: number(positionals.length) }));
  const area = crop === undefined ? undefined : parseCrop(crop);
  if (lesion && typeof area === 'object') throw new UsageError(say('cli.error.lesionCrop'));
  const modalities = values.modality?.split(',') ?? [];
  if (modalities.length > (lesion ? 2 : 1))
    throw new UsageError(
      say(lesion ? 'cli.error.lesionModalities' : 'cli.error.modalities', { count: number(modalities.length) }),
    );
  return {
    paths: positionals,
    lesion,
    modalities,
    crop: area,
    options: { explain, testTimeAugmentation },
    model: values.model,
    jobs: positiveInteger(values.jobs, '--jobs'),
    // The retired servers answered in JSON.
    json: values.json || format !== 'result',
    format: format as Format,
  };
}

type Request = ReturnType<typeof parse>;

/** One modality applies to every picture, two to those of a lesion in order. */
async function tasksOf({ paths, lesion, modalities, crop, options }: Request): Promise<Task[]> {
  const picture = (path: string, index: number): TaskPicture => {
    const modality = modalities[modalities.length === 2 ? index : 0];
    return { path, ...(modality === undefined ? {} : { modality }), ...(crop === undefined ? {} : { crop }) };
  };
  if (lesion) return [{ pictures: paths.map(picture), options }];
  return (await expand(paths)).map((path) => ({ pictures: [picture(path, 0)], options }));
}

const nameOf = ({ pictures }: Task): string => pictures.map(({ path }) => path).join(' + ');

function asJson({ pictures }: Task, answer: Answer, format: Format): object {
  const files = pictures.length === 1 ? { file: pictures[0]!.path } : { files: pictures.map(({ path }) => path) };
  return answer.ok
    ? { ...files, ...project[format](answer.result) }
    : { ...files, error: { code: answer.error.code, message: answer.error.message } };
}

/** @throws UsageError, DermletError when the engine cannot be started */
export async function classify(args: string[], { out, err, columns }: Output): Promise<number> {
  const request = parse(args);
  const { paths, model, jobs, json, format } = request;
  const info = await modelOf(model);
  for (const id of request.modalities) if (id !== 'auto') requireModality(info, id);
  const tasks = await tasksOf(request);
  if (tasks.length === 0) throw new UsageError(say('cli.error.noPictures'));
  const answers: (Answer | undefined)[] = tasks.map(() => undefined);
  let printed = 0;

  /** Prints finished answers in the order of the files. */
  const print = () => {
    for (let answer = answers[printed]; answer; answer = answers[++printed]) {
      const task = tasks[printed]!;
      const paths = task.pictures.map(({ path }) => path);
      if (!answer.ok) err(`${nameOf(task)}: ${answer.error.code}: ${answer.error.message}\n`);
      else if (!json) out(`${describe(paths, answer.result, columns)}\n\n`);
    }
  };

  await classifyAll(model, tasks, jobs, (answer, index) => {
    answers[index] = answer;
    print();
  });
  const all = answers.map((answer, index) =>
    asJson(tasks[index]!, answer ?? { ok: false, error: new DermletError('BACKEND_FAILED', 'no answer') }, format),
  );
  const one = request.lesion || (paths.length === 1 && tasks.length === 1 && tasks[0]!.pictures[0]!.path === paths[0]);
  if (json) out(`${JSON.stringify(one ? all[0] : all, null, 2)}\n`);
  else if (answers.some((answer) => answer?.ok)) out(`${legend(info.coverage, columns)}\n`);
  return answers.every((answer) => answer?.ok) ? EXIT.fine : EXIT.failed;
}
