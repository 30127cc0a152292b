// The build scripts' own tests: server, lock, fingerprints, versions, reports, releases.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import { hostname, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { changedFiles, selectionFor, webTests } from './changed.mjs';
import { fingerprint } from './fingerprint.mjs';
import { nativeTargets, targets } from './fuzz.mjs';
import { MAX_LENGTH, makeSeeds } from './fuzz-seeds.mjs';
import { datedChangelog, next } from './release.mjs';
import { empty, fromJunit, fromLibFuzzer, fromPlaywright, fromPytest, fromTap, fromVitest, judge } from './reports.mjs';
import { serve } from './serve.mjs';
import { isNewEnough, stbVersion } from './stb.mjs';
import { root } from './steps.mjs';
import { isAtLeast, versionIn } from './toolchain.mjs';

const scratch = mkdtempSync(join(tmpdir(), 'dermlet-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

describe('serve', () => {
  const site = join(scratch, 'site');
  /** @type {import('./serve.mjs').ServedRequest[]} */
  const seen = [];
  /** @type {Awaited<ReturnType<typeof serve>>} */
  let served;

  /**
   * Sends a request line unchanged: fetch would normalise the path.
   * @param {string} path
   * @returns {Promise<string>}
   */
  const raw = (path) =>
    new Promise((resolve, reject) => {
      const socket = connect(served.port, '127.0.0.1', () =>
        socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`),
      );
      let text = '';
      socket.on('data', (chunk) => (text += chunk));
      socket.on('close', () => resolve(text));
      socket.on('error', reject);
    });

  before(async () => {
    mkdirSync(join(site, 'engine'), { recursive: true });
    writeFileSync(join(site, 'index.html'), '<!doctype html>');
    writeFileSync(join(site, 'engine', 'a.wasm'), 'wasm');
    writeFileSync(join(site, 'LICENSE'), 'MIT');
    writeFileSync(join(scratch, 'secret.txt'), 'secret');
    writeFileSync(join(scratch, 'site-secret.txt'), 'secret');
    symlinkSync(join(scratch, 'secret.txt'), join(site, 'link.txt'));
    served = await serve({
      root: site,
      port: 0,
      base: '/some/where/',
      onRequest: (request) => seen.push(request),
      override: (path) => (path === 'made.json' ? { body: '{}' } : undefined),
    });
  });
  after(() => served.close());

  test('serves files under the sub-path with their types', async () => {
    const page = await fetch(served.url);
    assert.equal(page.status, 200);
    assert.equal(page.headers.get('content-type'), 'text/html; charset=utf-8');
    assert.equal(page.headers.get('cache-control'), 'no-cache');
    const wasm = await fetch(`${served.url}engine/a.wasm?x=1`);
    assert.equal(wasm.headers.get('content-type'), 'application/wasm');
    assert.equal(await wasm.text(), 'wasm');
    assert.equal((await fetch(`${served.url}LICENSE`)).headers.get('content-type'), 'text/plain; charset=utf-8');
    assert.deepEqual(seen[1], { method: 'GET', path: 'engine/a.wasm', status: 200 });
  });

  test('answers a missing file with 404 and other methods with 405, and redirects to the folder', async () => {
    assert.equal((await fetch(`${served.url}nothing.js`)).status, 404);
    assert.equal((await fetch(served.url.replace('/some/where/', '/'))).status, 404);
    assert.equal((await fetch(`${served.url}engine/`)).status, 404);
    assert.equal((await fetch(served.url, { method: 'POST', body: 'x' })).status, 405);
    const moved = await fetch(served.url.slice(0, -1), { redirect: 'manual' });
    assert.equal(moved.headers.get('location'), '/some/where/');
  });

  test('answers an unchanged file with 304', async () => {
    const tag = (await fetch(served.url)).headers.get('etag') ?? '';
    const again = await fetch(served.url, { headers: { 'If-None-Match': tag } });
    assert.equal(again.status, 304);
  });

  test('answers in place of a file when told to', async () => {
    const response = await fetch(`${served.url}made.json`);
    assert.equal(response.headers.get('content-type'), 'application/json; charset=utf-8');
    assert.equal(await response.text(), '{}');
  });

  for (const path of [
    '../secret.txt',
    '..%2fsecret.txt',
    '%2e%2e/secret.txt',
    '../site-secret.txt',
    'link.txt',
    '/etc/passwd',
    '%00',
    '%',
  ]) {
    test(`serves nothing outside its root: ${path}`, async () => {
      const answer = await raw(`/some/where/${path}`);
      assert.match(answer, /^HTTP\/1\.1 404 /);
      assert.doesNotMatch(answer, /secret|root:/);
    });
  }

  test('takes the next port when the wanted one is taken, unless told not to', async () => {
    const next = await serve({ root: site, port: served.port });
    assert.ok(next.port > served.port);
    await next.close();
    await assert.rejects(serve({ root: site, port: served.port, strictPort: true }), { code: 'EADDRINUSE' });
  });
});

describe('lock', () => {
  const path = join(scratch, 'build.lock');
  const log = join(scratch, 'order.txt');
  const worker = `
    import { appendFileSync } from 'node:fs';
    import { withLock } from ${JSON.stringify(pathToFileURL(join(root, 'tools/build/lock.mjs')).href)};
    const [name, wait] = process.argv.slice(1);
    await withLock('test', async () => {
      appendFileSync(${JSON.stringify(log)}, name + ' in\\n');
      await new Promise((done) => setTimeout(done, Number(wait)));
      appendFileSync(${JSON.stringify(log)}, name + ' out\\n');
    }, ${JSON.stringify(path)});`;
  const env = { ...process.env };
  delete env.DERMLET_BUILD_LOCK;

  /**
   * @param {string} name
   * @param {number} wait
   */
  function start(name, wait) {
    const child = spawn(process.execPath, ['--input-type=module', '-e', worker, name, String(wait)], {
      env,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    return { child, done: new Promise((resolve) => child.on('close', resolve)) };
  }

  const lines = () => (existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : []);
  /** @param {() => boolean} condition */
  const until = async (condition) => {
    while (!condition()) await new Promise((done) => setTimeout(done, 20));
  };

  test('lets one in at a time', async () => {
    rmSync(log, { force: true });
    const all = ['a', 'b', 'c'].map((name) => start(name, 100));
    await Promise.all(all.map((one) => one.done));
    const order = lines();
    assert.equal(order.length, 6);
    for (let i = 0; i < 6; i += 2) assert.equal(order[i]?.replace(' in', ' out'), order[i + 1]);
    assert.ok(!existsSync(path));
  });

  test('takes over from a process that no longer runs', async () => {
    rmSync(log, { force: true });
    const killed = start('killed', 60_000);
    await until(() => lines().length === 1);
    killed.child.kill('SIGKILL');
    await killed.done;
    assert.ok(existsSync(path));
    const next = [start('x', 50), start('y', 50)];
    await Promise.all(next.map((one) => one.done));
    assert.equal(lines().filter((line) => line.endsWith('out')).length, 2);
    assert.ok(!existsSync(path));
  });

  test('takes over when the process id now belongs to another program', async () => {
    rmSync(log, { force: true });
    writeFileSync(path, JSON.stringify({ pid: process.pid, start: '1', host: hostname(), what: 'long gone' }));
    await start('z', 0).done;
    assert.deepEqual(lines(), ['z in', 'z out']);
  });

  test('is released on Ctrl-C', async () => {
    rmSync(log, { force: true });
    const stopped = start('stopped', 60_000);
    await until(() => lines().length === 1);
    stopped.child.kill('SIGINT');
    assert.equal(await stopped.done, 130);
    assert.ok(!existsSync(path));
  });
});

describe('fingerprint', () => {
  test('depends on names and contents, not on dates', () => {
    const folder = join(scratch, 'inputs');
    const relative = join('..', '..', '..', '..', '..', '..', '..', '..', folder);
    mkdirSync(folder);
    writeFileSync(join(folder, 'a'), '1');
    const first = fingerprint([relative]);
    writeFileSync(join(folder, 'a'), '1');
    assert.equal(fingerprint([relative]), first);
    writeFileSync(join(folder, 'a.swp~'), 'ignored');
    assert.equal(fingerprint([relative]), first);
    writeFileSync(join(folder, 'a'), '2');
    const second = fingerprint([relative]);
    assert.notEqual(second, first);
    writeFileSync(join(folder, 'b'), '');
    assert.notEqual(fingerprint([relative]), second);
    assert.notEqual(fingerprint([relative], ['x']), fingerprint([relative], ['y']));
  });
});

describe('versions', () => {
  test('are compared by number', () => {
    assert.deepEqual(
      versionIn('emcc (Emscripten gcc/clang-like replacement + linker emulating GNU ld) 3.1.69 ()'),
      [3, 1, 69],
    );
    assert.equal(versionIn('none'), null);
    assert.ok(isAtLeast([3, 1, 69], [3, 1, 6]));
    assert.ok(isAtLeast([4, 0, 0], [3, 1, 6]));
    assert.ok(!isAtLeast([3, 1, 5], [3, 1, 6]));
    assert.ok(!isAtLeast(null, [0, 0, 0]));
  });

  test('of stb_image are read from its first line, and old ones refused', () => {
    assert.deepEqual(
      stbVersion('/* stb_image - v2.30 - public domain image loader - http://nothings.org/stb\n'),
      [2, 30],
    );
    assert.equal(stbVersion('// no stb_image - v2.30'), null);
    assert.ok(isNewEnough([2, 30]) && isNewEnough([3, 0]));
    assert.ok(!isNewEnough([2, 27]) && !isNewEnough(null));
  });
});

describe('reports', () => {
  const none = empty();
  /** @param {import('./reports.mjs').Counts} counts */
  const counted = ({ tests: _, unsteady: _names, ...rest }) => rest;
  /** @param {import('./reports.mjs').Counts} counts */
  const named = ({ tests }) => tests.map(({ file, titles, status }) => [file, ...titles, status].join(' > '));

  test('CTest', () => {
    const xml = `<testsuite tests="3"><testcase name="A.&lt;1&gt;" status="fail"><failure/></testcase>
      <testcase name="B" status="run"/><testcase name="C" status="notrun"><skipped/></testcase></testsuite>`;
    assert.deepEqual(counted(fromJunit(xml)), { passed: 1, failed: 1, skipped: 1, failures: ['A.<1>'] });
  });

  test('pytest, with a file that cannot be read and a test that fails and errors', () => {
    const xml = `<?xml version="1.0" encoding="utf-8"?>
      <testsuites name="pytest tests"><testsuite name="pytest" errors="2" failures="2" skipped="1" tests="7">
      <testcase classname="tests.test_a" name="test_x[1/&gt;2]" time="0.001" />
      <testcase classname="tests.test_a" name="test_y" time="0.1"><properties/></testcase>
      <testcase classname="tests.test_a" name="test_z[&lt;]" time="0.1"><failure message="assert 1 &gt; 2">E</failure>
        <system-out>&lt;skipped</system-out></testcase>
      <testcase classname="tests.test_a" name="test_w" time="0.1"><failure message="m">E</failure>
        <error message="at teardown">E</error></testcase>
      <testcase classname="" name="tests.test_b" time="0.0"><error message="collection failure">E</error></testcase>
      <testcase classname="tests.test_a" name="test_v" time="0"><skipped message="no">f</skipped></testcase>
      </testsuite></testsuites>`;
    const failures = ['tests.test_a > test_z[<]', 'tests.test_a > test_w', 'tests.test_b'];
    assert.deepEqual(counted(fromPytest(xml)), { passed: 2, failed: 3, skipped: 1, failures });
  });

  test('Vitest, with a file that does not load', () => {
    const testResults = [
      {
        name: 'a.test.ts',
        status: 'failed',
        assertionResults: ['failed', 'passed', 'pending'].map((status) => ({ status, fullName: 'x' })),
      },
      { name: 'b.test.ts', status: 'failed', assertionResults: [] },
    ];
    assert.deepEqual(counted(fromVitest({ testResults })), {
      passed: 1,
      failed: 2,
      skipped: 1,
      failures: ['x', 'b.test.ts'],
    });
  });

  test('Playwright, with an error outside of any test', () => {
    const specs = [
      {
        title: 't',
        tests: [{ status: 'expected' }, { status: 'unexpected', projectName: 'p' }, { status: 'skipped' }],
      },
    ];
    const json = {
      suites: [{ title: 'f.spec.ts', suites: [{ title: 'g', specs }] }],
      errors: [{ message: 'boom\nat' }],
    };
    assert.deepEqual(counted(fromPlaywright(json)), {
      passed: 1,
      failed: 2,
      skipped: 1,
      failures: ['f.spec.ts > g > t > [p]', 'boom'],
    });
  });

  test('TAP', () => {
    const inner = "    not ok 1 - inner\n      ---\n      failureType: 'testCodeFailure'\n      ...\n";
    const outer = "not ok 1 - outer\n  ---\n  failureType: 'subtestsFailed'\n  ...\n";
    const tap = `TAP version 13\n${inner}${outer}# pass 4\n# fail 1\n# cancelled 0\n# skipped 2\n# todo 0\n`;
    assert.deepEqual(counted(fromTap(tap)), { passed: 4, failed: 1, skipped: 2, failures: ['inner'] });
  });

  test('each test is named with its file, where the runner says it, its suites and what became of it', () => {
    assert.deepEqual(named(fromJunit('<testcase name="A.B" status="run"/><testcase name="C.D" status="fail"/>')), [
      ' > A.B > passed',
      ' > C.D > failed',
    ]);
    const pytest = '<testcase classname="tests.test_a.TestB" name="test_c[1]" time="0"/>';
    assert.deepEqual(named(fromPytest(pytest)), ['tools/train/tests/test_a.py > test_c[1] > passed']);
    const assertionResults = [{ ancestorTitles: ['out'], title: 'in', fullName: 'out in', status: 'pending' }];
    const testResults = [{ name: join(root, 'tests/web/a.test.ts'), status: 'passed', assertionResults }];
    assert.deepEqual(named(fromVitest({ testResults })), ['tests/web/a.test.ts > out > in > skipped']);
    const specs = [{ title: 't', file: 'e2e/f.spec.ts', tests: [{ status: 'flaky' }] }];
    const suites = [{ title: 'e2e/f.spec.ts', suites: [{ title: 'g', specs }] }];
    const triedAgain = fromPlaywright({ suites, config: { rootDir: join(root, 'tests') } });
    assert.deepEqual(named(triedAgain), ['tests/e2e/f.spec.ts > g > t > passed']);
    assert.deepEqual(triedAgain.unsteady, ['e2e/f.spec.ts > g > t']);
    const tap = '    ok 1 - an inner \\# one\n    not ok 2 - bad\nnot ok 1 - outer\nok 2 - later # SKIP\n';
    assert.deepEqual(named(fromTap(tap)), [
      ' > an inner # one > passed',
      ' > bad > failed',
      ' > outer > failed',
      ' > later > skipped',
    ]);
  });

  test('a crash and an empty run are failures', () => {
    assert.equal(judge(none, 0).failed, 1);
    assert.equal(judge({ ...none, passed: 3 }, 'signal SIGSEGV').failed, 1);
    assert.equal(judge({ ...none, passed: 3 }, 0).failed, 0);
    assert.equal(judge({ ...none, passed: 3, failed: 2 }, 1).failed, 2);
  });
});

describe('release', () => {
  const before = '# Changelog\n\n## 0.1.0 (unreleased)\n\n- First.\n\n## 0.0.9 (2026-01-02)\n\n- Older.\n';

  test('dates the unreleased section and opens the next one', () => {
    const after =
      '# Changelog\n\n## 0.2.0 (unreleased)\n\n## 0.1.0 (2026-03-04)\n\n- First.\n\n' +
      '## 0.0.9 (2026-01-02)\n\n- Older.\n';
    assert.equal(datedChangelog(before, '0.1.0', '2026-03-04'), after);
  });

  test('refuses a version already released, and an empty release', () => {
    assert.throws(() => datedChangelog(before, '0.0.9', '2026-03-04'), /already/);
    assert.throws(() => datedChangelog('# Changelog\n\n## 0.1.0 (unreleased)\n', '0.1.0', '2026-03-04'), /empty/);
    assert.throws(() => datedChangelog('# Changelog\n', '0.1.0', '2026-03-04'), /no section/);
  });

  test('continues with the next minor version, or from a candidate with its release', () => {
    assert.deepEqual(['1.2.3', '2.0.0-rc.1'].map(next), ['1.3.0', '2.0.0']);
  });
});

describe('what a change calls for', () => {
  const repository = join(scratch, 'changed');
  const git = (/** @type {string[]} */ ...args) => {
    const who = ['-c', 'user.name=t', '-c', 'user.email=t@example.org'];
    assert.equal(spawnSync('git', ['-C', repository, ...who, ...args]).status, 0, args.join(' '));
  };

  test('differing files: of the last commit, those not committed, and new ones; no ignored ones', () => {
    mkdirSync(repository);
    git('init', '-q');
    writeFileSync(join(repository, '.gitignore'), 'build\n');
    writeFileSync(join(repository, 'a'), '1');
    git('add', '.');
    git('commit', '-qm', 'one');
    writeFileSync(join(repository, 'b b'), '1');
    git('add', '.');
    git('commit', '-qm', 'two');
    assert.deepEqual(changedFiles(undefined, repository), { since: 'HEAD~1', files: ['b b'] });
    writeFileSync(join(repository, 'a'), '2');
    writeFileSync(join(repository, 'new'), '1');
    writeFileSync(join(repository, 'build'), '1');
    assert.deepEqual(changedFiles(undefined, repository), { since: 'HEAD', files: ['a', 'new'] });
    assert.deepEqual(changedFiles('HEAD~1', repository).files, ['a', 'b b', 'new']);
    assert.throws(() => changedFiles('nowhere', repository), /'nowhere' to be a commit/);
  });
  test('every file of the repository calls for something', () => {
    const files = spawnSync('git', ['-C', root, 'ls-files'], { encoding: 'utf8' }).stdout.trim().split('\n');
    assert.ok(files.length > 300);
    for (const file of files) assert.notEqual(selectionFor([file]).parts.length, 0, file);
  });
  test('words alone are checked by rules of the repository alone, documents as pages too', () => {
    assert.deepEqual(selectionFor(['README.md']).parts, ['scripts']);
    assert.deepEqual(selectionFor(['docs/architecture.md', 'README.md']).parts, ['scripts', 'site']);
  });
  test('a module of the training tool calls for the tests that name it, its foundations for all', () => {
    assert.deepEqual(selectionFor(['tools/train/dermlet_train/depthwise.py']).train, ['test_networks.py']);
    assert.ok(selectionFor(['tools/train/dermlet_train/locator/install.py']).train.includes('test_locator.py'));
    assert.deepEqual(selectionFor(['tools/train/tests/test_card.py']).train, ['test_card.py']);
    assert.ok(selectionFor(['tools/train/requirements.txt']).train.length > 15);
    assert.ok(selectionFor(['contract/contract.json']).train.length > 15);
    assert.deepEqual(selectionFor(['web/src/page/main.ts']).train, []);
  });
  test('changed specs themselves, else the shortest way through the page', () => {
    assert.deepEqual(selectionFor(['tests/e2e/embed.spec.ts']).e2e, ['tests/e2e/embed.spec.ts']);
    assert.deepEqual(selectionFor(['web/src/page/main.ts']).e2e, ['tests/e2e/classify.spec.ts']);
    assert.ok(existsSync(join(root, 'tests/e2e/classify.spec.ts')));
  });
  test('the command line is started as a process, which no import shows', () => {
    assert.ok(webTests([], ['tools/cli/main.ts']).includes('tests/web/cli.test.ts'));
    assert.deepEqual(webTests(['tests/web/labels.test.ts'], ['web/src/page/main.ts']), ['tests/web/labels.test.ts']);
  });
});

describe('installing', () => {
  const apt = '/usr/bin/apt-get';

  test('--no-install names what is missing and installs nothing', { skip: !existsSync(apt) }, () => {
    const folder = mkdtempSync(join(tmpdir(), 'dermlet-bare-'));
    try {
      for (const path of [process.execPath, apt]) symlinkSync(path, join(folder, basename(path)));
      const env = { PATH: folder, HOME: folder };
      const { status, stdout, stderr } = spawnSync(
        process.execPath,
        [join(root, 'tools', 'build', 'start.mjs'), '--no-install'],
        { env, encoding: 'utf8' },
      );
      assert.equal(status, 1, stdout);
      assert.match(stderr, /Missing: emcc, .*Nothing was installed, as asked/s);
      assert.match(stderr, /apt-get install .*emscripten.* ninja-build/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('fuzz', () => {
  test('every target is built, and every regression input names an existing target', () => {
    const listed = /foreach\(target ([^)]+)\)/
      .exec(readFileSync(join(root, 'tests/fuzz/CMakeLists.txt'), 'utf8'))?.[1]
      ?.split(' ');
    assert.deepEqual(listed, nativeTargets());
    for (const name of readdirSync(join(root, 'tests/fuzz/regressions')))
      assert.ok(
        targets().some((target) => name.startsWith(`${target}-`)),
        name,
      );
  });

  test('seeds are made of the drawn pictures: blocks of EXIF, profiles, models', () => {
    /** @param {string} target */
    const made = (target) => {
      const folder = join(scratch, 'seeds', target);
      const count = makeSeeds(target, folder);
      const seeds = readdirSync(folder).map((name) => readFileSync(join(folder, name)));
      assert.equal(seeds.length, count);
      assert.ok(seeds.every((seed) => seed.length <= MAX_LENGTH));
      return seeds;
    };
    const exif = made('exif');
    assert.ok(exif.length > 20 && exif.every((block) => ['II', 'MM'].includes(block.toString('latin1', 0, 2))));
    const profiles = made('icc');
    assert.ok(profiles.filter((profile) => profile.toString('latin1', 36, 40) === 'acsp').length > 20);
    const kinds = new Set(made('pipeline').map((seed) => seed.toString('latin1', 0, 4)));
    for (const magic of ['\x89PNG', 'RIFF']) assert.ok(kinds.has(magic), magic);
    assert.ok(
      [...kinds].some((magic) => magic.startsWith('BM')) && [...kinds].some((magic) => magic.startsWith('\xff\xd8')),
    );
    assert.ok(made('rejection').every((model) => model.toString('latin1', 0, 4) === 'DRJ1'));
    assert.ok(made('interpret').length > 10);
  });

  test("libFuzzer's final statistics are read; a run without them has none", () => {
    const text =
      '#99\tINITED cov: 5 ft: 6 corp: 7/8b exec/s: 0\n' +
      '#2097152\tDONE   cov: 64 ft: 109 corp: 42/2Kb lim: 65536 exec/s: 123\n' +
      'stat::number_of_executed_units: 2097152\nstat::average_exec_per_sec:     123\n' +
      'stat::new_units_added:          9\n';
    assert.deepEqual(fromLibFuzzer(text), {
      runs: 2097152,
      perSecond: 123,
      edges: 64,
      features: 109,
      corpus: 42,
      added: 9,
    });
    assert.equal(fromLibFuzzer(text.replace('DONE', 'NEW ')), null);
  });
});
