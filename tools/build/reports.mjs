// Test runners' reports in one form: { passed, failed, skipped, failures: names of the failed }.

/**
 * @typedef {object} Counts
 * @property {number} passed
 * @property {number} failed
 * @property {number} skipped
 * @property {string[]} failures  names
 */

/**
 * The parts of Vitest's report that are used.
 * @typedef {{ status: string, fullName: string }} VitestTest
 * @typedef {{ testResults?: { name: string, status: string, assertionResults: VitestTest[] }[] }} VitestReport
 *
 * And those of Playwright's.
 * @typedef {{ status: string, projectName?: string }} PlaywrightTest
 * @typedef {{ title: string, tests: PlaywrightTest[] }} PlaywrightSpec
 * @typedef {{ title: string, specs?: PlaywrightSpec[], suites?: PlaywrightSuite[] }} PlaywrightSuite
 * @typedef {{ suites?: PlaywrightSuite[], errors?: { message?: string }[] }} PlaywrightReport
 */

/** @returns {Counts} */
function empty() {
  return { passed: 0, failed: 0, skipped: 0, failures: [] };
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
    const status = value('status');
    if (status === 'run') counts.passed += 1;
    else if (status === 'notrun' || status === 'disabled') counts.skipped += 1;
    else {
      counts.failed += 1;
      counts.failures.push(value('name'));
    }
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
    if (/<(failure|error)\b/.test(body)) {
      counts.failed += 1;
      counts.failures.push([value('classname'), value('name')].filter(Boolean).join(' > '));
    } else if (/<skipped\b/.test(body)) counts.skipped += 1;
    else counts.passed += 1;
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
    for (const test of file.assertionResults) {
      if (test.status === 'passed') counts.passed += 1;
      else if (test.status === 'failed') {
        counts.failed += 1;
        counts.failures.push(test.fullName);
      } else counts.skipped += 1;
    }
    if (file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed')) {
      counts.failed += 1;
      counts.failures.push(file.name);
    }
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
      for (const test of spec.tests) {
        if (test.status === 'expected' || test.status === 'flaky') counts.passed += 1;
        else if (test.status === 'skipped') counts.skipped += 1;
        else {
          counts.failed += 1;
          const project = test.projectName ? [`[${test.projectName}]`] : [];
          counts.failures.push([...path, spec.title, ...project].filter(Boolean).join(' > '));
        }
      }
    }
    for (const inner of suite.suites ?? []) visit(inner, [...path, inner.title]);
  };
  for (const suite of json.suites ?? []) visit(suite, [suite.title]);
  for (const error of json.errors ?? []) {
    counts.failed += 1;
    const [first = ''] = (error.message ?? 'error outside of any test').split('\n');
    counts.failures.push(first);
  }
  return counts;
}

/**
 * TAP as `node --test --test-reporter=tap` writes it: only the summary at the end and the names of failed leaves.
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
