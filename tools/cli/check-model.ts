/** `check-model DIR`: whether a model's folder will work wherever Dermlet runs, step by step, and what it says. */
import { parseArgs } from 'node:util';
import {
  Classifier,
  DermletError,
  type ModelInfo,
  modelFiles,
  type Result,
  readModelInfo,
  sealModel,
  testPictureOf,
} from '../../web/src/classifier/node/index.js';
import { list, mayName, number, plainPercent } from '../../web/src/messages/index.js';
import { ARCHIVE_OPTIONS, archiveRequest, lookAtAll, readArchive } from './archive.js';
import type { Output } from './classify.js';
import { plain } from './plain.js';
import { within } from './pool.js';
import { say } from './say.js';
import { balancedAccuracy, countClasses, quantile, share } from './statistics.js';
import { padded, wrap } from './terminal.js';
import { EXIT, positiveInteger, positiveNumber, UsageError } from './usage.js';

/** A step of the check, or something that a user of the model will miss. */
interface Finding {
  step: 'manifest' | 'file' | 'start' | 'answer' | 'time' | 'pictures';
  state: 'passed' | 'failed' | 'note';
  about: string;
}

interface Timings {
  runs: number;
  /** Milliseconds: the first is until the engine answers, the others medians of a whole classification. */
  start: number;
  prepare: number;
  inference: number;
  interpret: number;
  total: number;
}

interface Tried {
  /** By class id: pictures, those of which the class is ranked first, and those whose set holds it. */
  classes: Record<string, { pictures: number; first: number; inSet: number }>;
  balancedAccuracy: number;
  withoutCategory: number;
}

export interface ModelReport {
  model?: ModelInfo;
  passed: boolean;
  findings: Finding[];
  timings?: Timings;
  pictures?: Tried;
}

function parse(args: string[]) {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      images: { type: 'string' },
      write: { type: 'boolean', default: false },
      runs: { type: 'string', default: '10' },
      jobs: ARCHIVE_OPTIONS.jobs,
      timeout: ARCHIVE_OPTIONS.timeout,
      json: { type: 'boolean', default: false },
    },
  });
  const [model] = positionals;
  if (model === undefined || positionals.length > 1) throw new UsageError(say('cli.error.checkModelNeeds'));
  return {
    ...values,
    model,
    runs: positiveInteger(values.runs, '--runs'),
    seconds: positiveNumber(values.timeout, '--timeout'),
  };
}

type Options = ReturnType<typeof parse>;

/** Runs the steps in turn; each depends on those before. */
class Check {
  readonly report: ModelReport = { passed: true, findings: [] };

  constructor(
    readonly options: Options,
    readonly output: Output,
  ) {}

  #find(step: Finding['step'], state: Finding['state'], about: string): void {
    this.report.findings.push({ step, state, about });
    if (state === 'failed') this.report.passed = false;
  }

  /** @returns whether it was done; what a model can do wrong is a finding */
  async #step(step: Finding['step'], work: () => Promise<void>): Promise<boolean> {
    try {
      await work();
      return this.report.passed;
    } catch (error) {
      if (!(error instanceof DermletError)) throw error;
      if (error.code === 'INVALID_ARGUMENT' && !this.report.model) throw new UsageError(error.message);
      this.#find(step, 'failed', `${error.code}: ${error.message}`);
      return false;
    }
  }

  async run(): Promise<ModelReport> {
    const { model, write } = this.options;
    if (write && !(await this.#step('file', () => this.#seal()))) return this.report;
    if (!(await this.#step('manifest', () => this.#readManifest()))) return this.report;
    if (!(await this.#step('file', () => this.#readFiles()))) return this.report;
    let classifier: Classifier | undefined;
    await this.#step('start', async () => {
      const began = performance.now();
      classifier = await within(this.options.seconds, (signal) => Classifier.load(model, { idleTimeout: 0, signal }));
      const start = performance.now() - began;
      this.#find('start', 'passed', say('cli.check.start', { seconds: number(start / 1000, 1) }));
      await this.#ask(classifier, start);
    });
    classifier?.dispose();
    if (this.report.passed && this.options.images !== undefined)
      await this.#step('pictures', () => this.#look(this.options.images!));
    return this.report;
  }

  async #seal(): Promise<void> {
    const { model, seconds } = this.options;
    await within(seconds, (signal) => sealModel(model, { signal }));
    this.#find('file', 'passed', say('cli.check.written'));
  }

  async #readManifest(): Promise<void> {
    const model = await readModelInfo(this.options.model);
    this.report.model = model;
    const counts = { classes: model.classes.length, modalities: list(model.modalities, 'and') };
    this.#find('manifest', 'passed', say('cli.check.manifest', counts));
    if (!model.classes.some(({ concern }) => concern === 'high'))
      this.#find('manifest', 'note', say('cli.check.noneHigh'));
    if (!model.findsSpots) this.#find('manifest', 'note', say('cli.check.noLocator'));
    if (!model.recognisesModality && model.modalities.length > 1)
      this.#find('manifest', 'note', say('cli.check.noProbe', { modality: model.defaultModality }));
  }

  async #readFiles(): Promise<void> {
    for (const { path, bytes, problem, optional } of await modelFiles(this.options.model)) {
      if (problem === undefined && bytes !== undefined)
        this.#find('file', 'passed', say('cli.check.file', { path, bytes: number(bytes) }));
      else if (problem !== undefined && optional) this.#find('file', 'note', say('cli.check.besideMissing', { path }));
      else if (problem !== undefined) this.#find('file', 'failed', problem);
    }
  }

  /** An answer a modality, with every class in it, and how long answers take. */
  async #ask(classifier: Classifier, start: number): Promise<void> {
    const { model } = classifier;
    const picture = await testPictureOf(this.options.model);
    const ask = (options: { modality: string; testTimeAugmentation?: boolean }): Promise<Result> =>
      within(this.options.seconds, (signal) => classifier.classify(picture, { ...options, crop: 'whole', signal }));
    for (const modality of model.modalities) {
      const { outcome, ranking } = await ask({ modality });
      if (ranking.length !== model.classes.length || ranking.some(({ probability }) => !(probability >= 0)))
        throw new DermletError('MODEL_CORRUPT', say('cli.check.incomplete', { modality }));
      this.#find('answer', 'passed', say('cli.check.answer', { modality, outcome }));
    }
    const modality = model.defaultModality;
    await ask({ modality, testTimeAugmentation: true });
    this.#find('answer', 'passed', say('cli.check.thorough'));
    const runs: Result['runtime']['timings'][] = [];
    for (let run = 0; run < this.options.runs; run++) runs.push((await ask({ modality })).runtime.timings);
    const median = (key: keyof Result['runtime']['timings']): number =>
      quantile(
        runs.map((timings) => timings[key]).sort((a, b) => a - b),
        0.5,
      );
    const timings: Timings = {
      runs: runs.length,
      start,
      prepare: median('prepare'),
      inference: median('inference'),
      interpret: median('interpret'),
      total: median('total'),
    };
    this.report.timings = timings;
    const milliseconds = (value: number) => number(value, value < 10 ? 1 : 0);
    this.#find(
      'time',
      'passed',
      say('cli.check.time', {
        count: timings.runs,
        total: milliseconds(timings.total),
        prepare: milliseconds(timings.prepare),
        inference: milliseconds(timings.inference),
      }),
    );
  }

  /** A few labelled pictures, in folders named by the classes' ids or names. */
  async #look(images: string): Promise<void> {
    const { model, jobs, timeout } = this.options;
    const info = this.report.model!;
    const request = archiveRequest({ images, model, crop: 'auto', jobs, timeout }, '');
    const { pictures } = await readArchive(images);
    const indexOf = (label: string): number =>
      info.classes.findIndex(({ id, name }) => id === label || name.toLowerCase() === label.toLowerCase());
    const strange = [...new Set(pictures.map(({ label }) => label))].filter((label) => indexOf(label) < 0);
    if (strange.length > 0)
      throw new UsageError(
        say('cli.check.otherClass', { name: strange[0]!, known: info.classes.map(({ id }) => id).join(', ') }),
      );
    let withoutCategory = 0;
    const { taken, failed } = await lookAtAll(request, pictures, this.output, (result, { label }) => {
      if (!mayName(result)) withoutCategory++;
      return {
        truth: indexOf(label),
        first: info.classes.findIndex(({ id }) => id === result.ranking[0]!.id),
        held: result.predictionSet.includes(info.classes[indexOf(label)]!.id),
      };
    });
    const counts = countClasses(
      taken.map(({ truth }) => truth),
      taken.map(({ first }) => first),
      info.classes.length,
    );
    const held = (index: number) => taken.filter(({ truth, held }) => held && truth === index).length;
    const entries = info.classes.flatMap(({ id }, index) => {
      const { truth, right } = counts[index]!;
      return truth > 0 ? [[id, { pictures: truth, first: right, inSet: held(index) }] as const] : [];
    });
    const tried: Tried = {
      classes: Object.fromEntries(entries),
      balancedAccuracy: balancedAccuracy(counts),
      withoutCategory,
    };
    this.report.pictures = tried;
    const coverage = share(taken.map(({ held }) => held));
    this.#find(
      'pictures',
      'passed',
      say('cli.check.pictures', {
        count: taken.length,
        balanced: plainPercent(tried.balancedAccuracy),
        coverage: plainPercent(coverage),
        without: number(withoutCategory),
      }),
    );
    if (failed > 0) this.#find('pictures', 'note', say('cli.check.unread', { count: failed }));
  }
}

const MARKS: Record<Finding['state'], string> = { passed: '✓', failed: '✗', note: '·' };

function described({ findings, passed, model, pictures }: ModelReport, columns: number): string {
  const lines = findings.map(({ state, about }) => wrap(plain(about), columns, '  ', `${MARKS[state]} `));
  if (pictures && model) {
    const names = model.classes.filter(({ id }) => pictures.classes[id]);
    const width = Math.max(say('cli.report.class').length, ...names.map(({ name }) => plain(name).length));
    const row = (name: string, ...cells: string[]) =>
      `  ${padded(name, width)}${cells.map((cell) => cell.padStart(12)).join('')}`;
    lines.push(
      row(say('cli.report.class'), say('cli.report.pictures'), say('cli.check.first'), say('cli.check.inSet')),
      ...names.map(({ id, name }) => {
        const { pictures: count, first, inSet } = pictures.classes[id]!;
        return row(plain(name), number(count), number(first), number(inSet));
      }),
    );
  }
  const title = model ? `${plain(model.title)} (${model.name} ${model.version})` : '';
  const end = passed ? say('cli.check.passed', { title }) : say('cli.check.failed');
  return [...lines, '', wrap(end, columns)].join('\n');
}

/** @throws UsageError */
export async function checkModel(args: string[], output: Output): Promise<number> {
  const options = parse(args);
  const report = await new Check(options, output).run();
  output.out(`${options.json ? JSON.stringify(report, null, 2) : described(report, output.columns)}\n`);
  return report.passed ? EXIT.fine : EXIT.failed;
}
