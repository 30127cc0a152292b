// Test runners' reports in one form: every test, counted.
import { join, relative } from 'node:path';
import { root } from './steps.mjs';

/**
 * @typedef {object} Test
 * @property {string} file  relative to the repository; '' where the runner does not say it
 * @property {readonly string[]} titles  from the outermost suite inwards; the last is the test's own
 * @property {'passed' | 'failed' | 'skipped'} status
 *
 * @typedef {object} Counts
 * @property {number} passed
 * @property {number} failed
 * @property {number} skipped
 * @property {string[]} failures  names
 * @property {string[]} unsteady  names of those that failed and passed when tried again; counted as passed
 * @property {Test[]} tests
 */

/**
 * The parts of Vitest's report that are used.
 * @typedef {{ status: string, fullName: string, title?: string, ancestorTitles?: string[] }} VitestTest
 * @typedef {{ testResults?: { name: string, status: string, assertionResults: VitestTest[] }[] }} VitestReport
 *
 * And those of Playwright's.
 * @typedef {{ status: string, projectName?: string }} PlaywrightTest
 * @typedef {{ title: string, file?: string, tests: PlaywrightTest[] }} PlaywrightSpec
 * @typedef {{ title: string, specs?: PlaywrightSpec[], suites?: PlaywrightSuite[] }} PlaywrightSuite
 * @typedef {{ suites?: PlaywrightSuite[], errors?: { message?: string }[], config?: { rootDir: string } }}
 *   PlaywrightReport
 */

/** @returns {Counts} */
export function empty() {
  return { passed: 0, failed: 0, skipped: 0, failures: [], unsteady: [], tests: [] };
}

/**
 * @param {Counts} counts
 * @param {Test} test
 * @param {string} [name]  where it failed
 */
function add(counts, test, name = test.titles.join(' > ')) {
  counts.tests.push(test);
  counts[test.status] += 1;
  if (test.status === 'failed') counts.failures.push(name);
}

/** @param {string} text */
function unescapeXml(text) {
  /** @type {Record<string, string>} */
  const entities = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };
  return text.replace(/&(lt|gt|amp|quot|apos);/g, (whole, name) => entities[name] ?? whole);
}

/**
 * CTest's `--output-junit`.
 * @param {string} xml
 */
export function fromJunit(xml) {
  const counts = empty();
  for (const [, attributes = ''] of xml.matchAll(/<testcase\b([^>]*)>/g)) {
    /** @param {string} name */
    const value = (name) => unescapeXml(new RegExp(`\\b${name}="([^"]*)"`).exec(attributes)?.[1] ?? '');
    const said = value('status');
    const status = said === 'run' ? 'passed' : said === 'notrun' || said === 'disabled' ? 'skipped' : 'failed';
    add(counts, { file: '', titles: [value('name')], status });
  }
  return counts;
}

/**
 * pytest's `--junit-xml`. A file that cannot be collected counts as one error, named after the file. A test that both
 * fails and errors counts once.
 * @param {string} xml
 */
export function fromPytest(xml) {
  const counts = empty();
  for (const [, attributes = '', body = ''] of xml.matchAll(
    /<testcase\b((?:"[^"]*"|[^">])*?)(?:\/>|>([\s\S]*?)<\/testcase>)/g,
  )) {
    /** @param {string} name */
    const value = (name) => unescapeXml(new RegExp(`\\b${name}="([^"]*)"`).exec(attributes)?.[1] ?? '');
    const status = /<(failure|error)\b/.test(body) ? 'failed' : /<skipped\b/.test(body) ? 'skipped' : 'passed';
    const names = [value('classname'), value('name')].filter(Boolean);
    // A class of tests is named behind its module.
    const module = /^tests\.\w+/.exec(value('classname'))?.[0].replaceAll('.', '/');
    const file = module === undefined ? '' : `tools/train/${module}.py`;
    add(counts, { file, titles: names.slice(-1), status }, names.join(' > '));
  }
  return counts;
}

/**
 * Vitest's `--reporter=json`. A file that cannot be loaded has no tests and counts as one failure.
 * @param {VitestReport} json
 */
export function fromVitest(json) {
  const counts = empty();
  for (const file of json.testResults ?? []) {
    const path = relative(root, file.name);
    for (const { ancestorTitles = [], title, fullName, status: said } of file.assertionResults) {
      const status = said === 'passed' || said === 'failed' ? said : 'skipped';
      add(counts, { file: path, titles: [...ancestorTitles, title ?? fullName], status }, fullName);
    }
    if (file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'))
      add(counts, { file: path, titles: [], status: 'failed' }, file.name);
  }
  return counts;
}

/**
 * Playwright's json reporter. Each error outside any test counts as one failure.
 * @param {PlaywrightReport} json
 */
export function fromPlaywright(json) {
  const counts = empty();
  /**
   * @param {PlaywrightSuite} suite
   * @param {readonly string[]} path  titles of the suites around it
   */
  const visit = (suite, path) => {
    for (const spec of suite.specs ?? []) {
      for (const { status: said, projectName } of spec.tests) {
        const status = said === 'expected' || said === 'flaky' ? 'passed' : said === 'skipped' ? 'skipped' : 'failed';
        const file = spec.file === undefined ? '' : relative(root, join(json.config?.rootDir ?? root, spec.file));
        const project = projectName ? [`[${projectName}]`] : [];
        const name = [...path, spec.title, ...project].filter(Boolean).join(' > ');
        if (said === 'flaky') counts.unsteady.push(name);
        add(counts, { file, titles: [...path.slice(1), spec.title], status }, name);
      }
    }
    for (const inner of suite.suites ?? []) visit(inner, [...path, inner.title]);
  };
  for (const suite of json.suites ?? []) visit(suite, [suite.title]);
  for (const error of json.errors ?? []) {
    const [first = ''] = (error.message ?? 'error outside of any test').split('\n');
    add(counts, { file: '', titles: [first], status: 'failed' });
  }
  return counts;
}

/**
 * TAP as `node --test --test-reporter=tap` writes it: the counts are those of its summary. It names no files.
 * @param {string} text
 */
export function fromTap(text) {
  const counts = empty();
  /** @param {string} name */
  const total = (name) => Number(new RegExp(`^# ${name} (\\d+)$`, 'm').exec(text)?.[1] ?? 0);
  counts.passed = total('pass');
  counts.failed = total('fail') + total('cancelled');
  counts.skipped = total('skipped') + total('todo');
  for (const [, name = '', details] of text.matchAll(
    /^\s*not ok \d+ - (.*)\n((?:(?!^\s*(?:not )?ok \d).*\n?)*?\s*\.\.\.$)?/gm,
  )) {
    if (!details?.includes("failureType: 'subtestsFailed'")) counts.failures.push(name);
  }
  for (const [, not, name = '', skip] of text.matchAll(/^ *(not )?ok \d+ - (.*?)( # (?:SKIP|TODO)\b.*)?$/gm))
    counts.tests.push({
      file: '',
      titles: [name.replace(/\\(.)/g, '$1')],
      status: skip ? 'skipped' : not ? 'failed' : 'passed',
    });
  return counts;
}

/**
 * libFuzzer's statistics at the end of its last run (`-print_final_stats=1`); null if it did not get that far.
 * @param {string} text
 */
export function fromLibFuzzer(text) {
  /** @param {RegExp} pattern */
  const last = (pattern) => [...text.matchAll(pattern)].at(-1);
  /** @param {string} name */
  const stat = (name) => last(new RegExp(`^stat::${name}:\\s+(\\d+)$`, 'gm'))?.[1];
  const done = last(/^#\d+\s+DONE\s+cov: (\d+) ft: (\d+) corp: (\d+)\//gm);
  if (done === undefined || stat('number_of_executed_units') === undefined) return null;
  const [edges = 0, features = 0, corpus = 0] = done.slice(1).map(Number);
  return {
    runs: Number(stat('number_of_executed_units')),
    perSecond: Number(stat('average_exec_per_sec')),
    edges,
    features,
    corpus,
    added: Number(stat('new_units_added')),
  };
}

/**
 * A part's final counts, given its runner's exit status. A runner that failed without a failed test, or ran no test at
 * all, counts as one failure: silence is not success.
 * @param {Counts} counts
 * @param {number | string} status  of the runner
 * @returns {Counts}
 */
export function judge(counts, status) {
  if (counts.failed === 0 && status !== 0)
    return { ...counts, failed: 1, failures: [`the runner ended with ${status}`] };
  if (counts.failed === 0 && counts.passed === 0) return { ...counts, failed: 1, failures: ['no test ran'] };
  return counts;
}
