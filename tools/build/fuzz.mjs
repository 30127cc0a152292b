// npm run fuzz -- [--seconds N] [--only TARGET[,TARGET]]: libFuzzer on the C++ core under the sanitizers, two targets at a time.
// First every input that once failed (tests/fuzz/regressions/<target>-*), then N seconds (60) from tests/pictures and what earlier runs found.
// A new finding is written to build/fuzz-findings/; exit status 1.
import { mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { cpus } from 'node:os';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { fuzzers } from './artifacts.mjs';
import { StepError, cacheDir, logDir, main, root, run, say, tail } from './steps.mjs';
import { BUILD_NEEDS, TEST_NEEDS, checkNode, ensureTools } from './toolchain.mjs';

const source = join(root, 'tests', 'fuzz');
const findings = join(root, 'build', 'fuzz-findings');
const LIMITS = ['-timeout=20', '-rss_limit_mb=2560', '-max_len=65536', '-print_final_stats=1'];

export const targets = () => readdirSync(source).flatMap((name) => (name.endsWith('_fuzz.cc') ? [name.slice(0, -'_fuzz.cc'.length)] : [])).sort();

/** Runs one target; resolves to whether it found nothing. */
async function one(target, seconds) {
  const program = join(root, 'build', 'fuzz', 'tests', 'fuzz', `fuzz_${target}`);
  const log = `fuzz-${target}`;
  const corpus = join(cacheDir, 'fuzz', target);
  mkdirSync(corpus, { recursive: true });
  mkdirSync(findings, { recursive: true });
  const known = readdirSync(join(source, 'regressions')).filter((name) => name.startsWith(`${target}-`)).map((name) => join(source, 'regressions', name));
  const options = { log, mayFail: true, env: { UBSAN_OPTIONS: 'print_stacktrace=1' } };
  let status = known.length > 0 ? await run(program, [...LIMITS, ...known], options) : 0;
  if (status === 0) {
    const args = [...LIMITS, `-max_total_time=${seconds}`, `-artifact_prefix=${join(findings, `${target}-`)}`, corpus, join(root, 'tests', 'pictures')];
    status = await run(program, args, { ...options, append: true, limit: (seconds + 120) * 1000 });
  }
  const path = join(logDir, `${log}.log`);
  const runs = /stat::number_of_executed_units:\s+(\d+)/g;
  const counted = [...readFileSync(path, 'utf8').matchAll(runs)].at(-1)?.[1];
  if (status === 0 && counted !== undefined) {
    say(`  ${target}: ${Number(counted).toLocaleString('en')} runs, nothing found`);
    return true;
  }
  say(`${tail(path, 30)}  ${target}: FAILED (${status}); inputs in ${relative(root, findings)}, whole log: ${relative(root, path)}`);
  return false;
}

/** Runs targets side by side; resolves to counts as the test run wants them. */
export async function fuzz({ seconds = 60, only = targets() } = {}) {
  await fuzzers();
  const waiting = [...only];
  const failures = [];
  const lane = async () => {
    for (let target = waiting.shift(); target !== undefined; target = waiting.shift()) {
      if (!(await one(target, seconds))) failures.push(`fuzz ${target}`);
    }
  };
  await Promise.all(Array.from({ length: Math.min(cpus().length, 4) }, lane));
  return { passed: only.length - failures.length, failed: failures.length, skipped: 0, failures };
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  await main(async () => {
    const { values } = parseArgs({ options: { seconds: { type: 'string', default: '60' }, only: { type: 'string' } } });
    const only = values.only?.split(',') ?? targets();
    const unknown = only.filter((target) => !targets().includes(target));
    if (unknown.length > 0 || !/^[1-9]\d*$/.test(values.seconds)) throw new StepError(`Use: npm run fuzz -- [--seconds N] [--only ${targets().join(',')}]`);
    checkNode();
    await ensureTools([...BUILD_NEEDS, ...TEST_NEEDS]);
    const { failed } = await fuzz({ seconds: Number(values.seconds), only });
    return failed > 0 ? 1 : 0;
  });
}
