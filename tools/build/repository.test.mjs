// Rules for every tracked file.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { describe, test } from 'node:test';
import { filesOf } from '../../contract/contract.mjs';
import { filesUnder } from './fingerprint.mjs';
import { TYPE_PROJECTS } from './lint.mjs';
import { LOCKS, requirementsIn } from './python-locks.mjs';
import { root } from './steps.mjs';
import { localBin, systemPackages } from './toolchain.mjs';

/** Tracked files; all source files if the tree is not a git checkout. */
function tracked() {
  const git = spawnSync('git', ['ls-files', '-z'], { cwd: root, encoding: 'utf8' });
  if (git.status === 0) return git.stdout.split('\0').filter(Boolean);
  const rooms = [
    'contract',
    'wasm_src',
    'web',
    'models',
    'tools',
    'tests',
    'docs',
    '.ci',
    '.github',
    'package.json',
    'package-lock.json',
    'CMakeLists.txt',
    'README.md',
  ];
  return rooms
    .flatMap((room) => filesUnder(join(root, room)))
    .map((path) => path.slice(root.length).replace(/^\//, ''));
}

const BINARY = /\.(png|jpe?g|gif|webp|bmp|onnx|pdf|wasm|ico|bin|npz)$/i;
const texts = tracked()
  .filter((path) => !BINARY.test(path) && existsSync(join(root, path)))
  .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));

/** @param {RegExp} pattern */
function offenders(pattern) {
  return texts.flatMap(({ path, text }) =>
    text
      .split('\n')
      .flatMap((line, i) => (pattern.test(line) ? [`${path}:${i + 1}: ${line.trim().slice(0, 120)}`] : [])),
  );
}

describe('tracked files', () => {
  test('name no package registry', () => {
    // Written in pieces, or this file would match.
    const hosts = [
      ['registry', 'npmjs'],
      ['registry', 'yarnpkg'],
      ['files', 'pythonhosted'],
      ['pypi', String.raw`org\/simple`],
    ];
    assert.deepEqual(offenders(new RegExp(hosts.map((parts) => parts.join(String.raw`\.`)).join('|'))), []);
  });

  test('name no folder of the machine they were written on', () => {
    const folders = ['home', 'root', 'work', 'opt', 'Users', 'mnt'].join('|');
    // Addresses and globs contain such words too: only a path that begins with one counts.
    assert.deepEqual(offenders(new RegExp(String.raw`(^|[\s"'\x60=(])/(${folders})/[\w.]`)), []);
  });

  test('locks contain no address and pin every package by hash', () => {
    const locks = texts.filter(({ path }) => path.endsWith('package-lock.json'));
    assert.ok(locks.length > 0);
    for (const { path, text } of locks) {
      for (const [name, entry] of Object.entries(JSON.parse(text).packages)) {
        assert.equal(entry.resolved, undefined, `${path}: ${name}`);
        assert.ok(name === '' || entry.link || entry.inBundle || entry.integrity, `${path}: ${name} has no integrity`);
      }
    }
  });

  /** Packages with scripts that would run when they are installed, and why they work without. */
  const DO_WITHOUT_THEIR_SCRIPTS = new Map([
    ['esbuild', 'it would only put its program, an optional package, in place of a script that starts it'],
    ['core-js-pure', 'it would only print a request for support; dcmjs names it and holds nothing of it'],
    ['@parcel/watcher', 'it would only compile its program, an optional package, where there is none for the machine'],
    ['lmdb', 'likewise'],
    ['msgpackr-extract', 'likewise'],
    ['protobufjs', 'it would only warn of version ranges; nothing of it is bundled'],
    [
      'rs-module-lexer',
      'it would only fetch its WebAssembly where there is no program, an optional package, for the machine',
    ],
  ]);

  test('no package runs scripts of its own when it is installed', () => {
    const locks = texts.filter(({ path }) => path.endsWith('package-lock.json'));
    const found = new Set();
    for (const { path, text } of locks) {
      assert.match(readFileSync(join(root, dirname(path), '.npmrc'), 'utf8'), /^ignore-scripts=true$/m, path);
      for (const [at, { hasInstallScript }] of Object.entries(JSON.parse(text).packages))
        if (hasInstallScript) found.add(at.split('node_modules/').at(-1));
    }
    assert.deepEqual([...found].sort(), [...DO_WITHOUT_THEIR_SCRIPTS.keys()].sort());
    // Of ours, npm then leaves out those that would run by themselves before or after another.
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    assert.deepEqual(
      Object.keys(scripts).filter((name) => /^(pre|post)/.test(name)),
      [],
    );
  });

  test('package.json and its lock agree', () => {
    const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    const locked = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages[''];
    assert.deepEqual(locked.dependencies, manifest.dependencies);
    assert.deepEqual(locked.devDependencies, manifest.devDependencies);
  });
});

describe('Python', () => {
  for (const { folder, requirements, lock, torch } of LOCKS) {
    /** @param {string} name */
    const lines = (name) => readFileSync(join(root, folder, name), 'utf8');
    const locks = [lock, ...(torch ? [torch.withCuda, torch.cpu] : [])];

    test(`${folder}: whatever is required is locked in that version`, () => {
      const locked = new Set(
        locks.flatMap((name) => requirementsIn(lines(name))).map((entry) => entry.split(/[\s;]/)[0]),
      );
      const wanted = requirements.flatMap((name) =>
        [...lines(name).matchAll(/^[\w.-]+==[^\s;]+/gm)].map(([pin]) => pin),
      );
      assert.ok(wanted.length >= 3);
      assert.deepEqual(
        wanted.filter((pin) => !locked.has(pin)),
        [],
        'node tools/build/python-locks.mjs writes them anew',
      );
      assert.ok(!torch || locked.has(`${wanted.find((pin) => pin.startsWith('torch=='))}+cpu`));
    });

    test(`${folder}: whatever is locked is held to hashes and says nothing else`, () => {
      for (const name of locks) {
        const entries = requirementsIn(lines(name));
        assert.ok(entries.length > 0);
        for (const entry of entries)
          assert.match(entry, /^[\w.-]+==[\w.+]+( ; [^\\]+?)?( \\\n {4}--hash=sha256:[0-9a-f]{64})+$/);
        const whole = entries.join('\n').split('\n').length;
        assert.equal(lines(name).trimEnd().split('\n').length, whole + 1, `${name}: a heading and the packages`);
      }
    });
  }

  test('every requirements file is locked', () => {
    const known = LOCKS.flatMap(({ folder, requirements }) => requirements.map((name) => `${folder}/${name}`));
    const found = texts.map(({ path }) => path).filter((path) => /(^|\/)requirements[\w-]*\.txt$/.test(path));
    assert.deepEqual(found.sort(), known.sort());
  });
});

describe('types', () => {
  test('of every script are checked', () => {
    const checked = new Set(
      ['web/tsconfig.json', ...TYPE_PROJECTS].flatMap((project) => {
        const { stdout } = spawnSync(localBin('tsc'), ['-p', project, '--listFilesOnly'], {
          cwd: root,
          encoding: 'utf8',
        });
        return stdout.split('\n').map((path) => relative(root, path.trim()).split(sep).join('/'));
      }),
    );
    // Sample applications: the part `package` builds them, and type-checks two of them.
    const theirs = /^tests\/package\/apps\//;
    const scripts = tracked().filter((path) => /\.(ts|tsx|mts|mjs|js)$/.test(path) && !theirs.test(path));
    assert.deepEqual(
      scripts.filter((path) => existsSync(join(root, path)) && !checked.has(path)),
      [],
    );
  });
});

describe('setup and links', () => {
  test('the container has every system package that a command would install', () => {
    const words = readFileSync(join(root, '.devcontainer', 'Dockerfile'), 'utf8').split(/\s+/);
    assert.deepEqual(
      systemPackages().filter((name) => !words.includes(name)),
      [],
    );
  });

  test('files that the documents link to exist', () => {
    const broken = texts
      .filter(({ path }) => path.endsWith('.md'))
      .flatMap(({ path, text }) =>
        [...text.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)]
          .map(([, target = '']) => target)
          .filter((target) => !/^[a-z]+:/.test(target) && !existsSync(join(root, dirname(path), target)))
          .map((target) => `${path}: ${target}`),
      );
    assert.deepEqual(broken, []);
  });
});

test('every file of tests in plain JavaScript is run by `npm test`', () => {
  const program = readFileSync(join(root, 'tools/build/test.mjs'), 'utf8');
  const files = tracked().filter((path) => path.endsWith('.test.mjs'));
  assert.ok(files.length > 10);
  assert.deepEqual(
    files.filter((path) => !program.includes(`'${path}'`)),
    [],
  );
});

describe('workflows', () => {
  const workflows = texts.filter(({ path }) => /^\.github\/workflows\/.*\.ya?ml$/.test(path));
  /** Every job of every workflow, as text. */
  const jobs = workflows.flatMap(({ path, text }) => {
    const [, under = ''] = text.split(/^jobs:$/m);
    return [...under.matchAll(/^ {2}([\w-]+):\n((?: {3,}.*\n|\n| {2}#.*\n)*)/gm)].map(([, name = '', body = '']) => ({
      path,
      name,
      body,
    }));
  });
  const publishes =
    /upload-pages-artifact|deploy-pages|attest-build-provenance|gh release|npm publish|npm pack|: write\b/;

  test('pin every action by its commit, and say which version that is', () => {
    const uses = workflows.flatMap(({ path, text }) =>
      text.split('\n').flatMap((line) => (/\buses: (?!\.\/)/.test(line) ? [`${path}: ${line.trim()}`] : [])),
    );
    assert.ok(uses.length >= 7);
    assert.deepEqual(
      uses.filter((line) => !/ uses: [\w-]+\/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(line)),
      [],
    );
  });

  test('pin an action by the same commit wherever it is used', () => {
    const known = new Map();
    for (const { text } of workflows)
      for (const [, action, pin] of text.matchAll(/uses: ([^@\s]+)@(.*)/g)) {
        assert.equal(known.get(action) ?? pin, pin, action);
        known.set(action, pin);
      }
  });

  test('run each part of `npm test` once before anything is published', () => {
    const program = readFileSync(join(root, 'tools/build/test.mjs'), 'utf8');
    const parts = [...program.matchAll(/\bid: '(\w+)'/g)].map(([, id]) => id);
    const groups = workflows.find(({ path }) => path.endsWith('/test.yml'))?.text ?? '';
    const run = [...groups.matchAll(/^ {10}- ([\w,]+)$/gm)].flatMap(([, ids = '']) => ids.split(','));
    assert.ok(parts.length >= 12);
    assert.deepEqual(run.sort(), parts.sort());
    for (const name of ['pages', 'release']) {
      const text = workflows.find(({ path }) => path.endsWith(`/${name}.yml`))?.text ?? '';
      assert.match(text, /^ {2}test:\n {4}uses: \.\/\.github\/workflows\/test\.yml\n/m, name);
      assert.match(text, /^ {4}needs: test$/m, name);
    }
  });

  test('publish from jobs that run no test and take over nothing of one that does', () => {
    const publishing = jobs.filter(({ body }) => publishes.test(body));
    assert.ok(publishing.length >= 4 && jobs.length > publishing.length);
    for (const { path, name, body } of publishing)
      for (const never of [/\.ci\/run|npm (run )?t(est)?\b|vitest|ctest|playwright/, /\bcache:/])
        assert.doesNotMatch(body, never, `${path}: ${name}`);
  });

  test('give the right to write to no job that runs code of the repository', () => {
    for (const { path, text } of workflows) {
      assert.match(text, /^permissions:\n {2}contents: read\n(?! )/m, path);
      for (const { name, body } of jobs.filter((job) => job.path === path && /: write\b/.test(job.body)))
        assert.doesNotMatch(body, /actions\/checkout|\b(node|npm|npx) /, `${path}: ${name}`);
    }
  });

  test('install nothing whose install scripts may run', () => {
    for (const { path, name, body } of jobs)
      for (const [command] of body.matchAll(/npm (ci|i|install)\b.*/g))
        assert.match(command, /--ignore-scripts/, `${path}: ${name}`);
  });

  test('every folder with pinned packages is watched for updates', () => {
    const watched = readFileSync(join(root, '.github/dependabot.yml'), 'utf8');
    const folders = texts
      .map(({ path }) => /^(.*?)\/?(?:package-lock\.json|requirements\.txt)$/.exec(path)?.[1])
      .filter((folder) => folder !== undefined);
    assert.ok(folders.length >= 5);
    assert.deepEqual(
      folders.filter((folder) => !watched.includes(`'/${folder}'`)),
      [],
    );
  });
});

describe('models', () => {
  const folders = readdirSync(join(root, 'models'), { withFileTypes: true }).filter((entry) => entry.isDirectory());
  for (const { name } of folders) {
    const folder = join(root, 'models', name);
    const manifest = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8'));
    for (const part of filesOf(manifest)) {
      test(`${name}/${part.path} is what the manifest says`, () => {
        const bytes = readFileSync(join(folder, part.path));
        assert.equal(bytes.length, part.bytes);
        assert.equal(createHash('sha256').update(bytes).digest('hex'), part.sha256);
      });
    }
    test(`${name} is small enough for git and comes with its card and licence`, () => {
      assert.ok(manifest.file.bytes <= 10e6, `${manifest.file.bytes} bytes`);
      assert.ok(existsSync(join(folder, manifest.card)));
      assert.ok(existsSync(join(folder, manifest.license.path)));
    });
  }
});
