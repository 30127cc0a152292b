// node tools/build/python-locks.mjs: resolves the Python requirements anew and writes locked*.txt beside them, every
// package with its version and the hashes of its files. Needs uv (pip install uv) and the package index.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ask, isProgram, main, root, StepError, say } from './steps.mjs';

/** The oldest Python that the tools support: what is locked serves this and newer ones. */
const PYTHON = '3.11';

/**
 * PyTorch is locked by itself, in two builds of which one is installed: PyPI's, for Linux with CUDA, and the CPU build,
 * which PyPI does not have. Hashes of the latter are those of files that were used; a new version needs new ones.
 */
const TORCH_CPU = {
  version: '2.13.0+cpu',
  // CPython 3.11, Linux, x86-64.
  hashes: ['6746dbcbeb526eb61330b76b41ff1b4eb848951103a892eeb080dfa2b264667b'],
};

/** Packages that only PyTorch's build with CUDA needs, and itself. */
const TORCH = /^(torch|triton|nvidia-.*|cuda-.*)==/;

/**
 * What is locked: the requirement files, and where it is written.
 * @type {readonly {
 *   folder: string, requirements: readonly string[], lock: string, only?: string,
 *   torch?: { withCuda: string, cpu: string }
 * }[]}
 */
export const LOCKS = [
  {
    folder: 'tools/train',
    requirements: ['requirements.txt', 'requirements-dev.txt', 'requirements-keras.txt'],
    lock: 'locked.txt',
    torch: { withCuda: 'locked-torch.txt', cpu: 'locked-torch-cpu.txt' },
  },
  { folder: 'tools/lint', requirements: ['requirements.txt'], lock: 'locked.txt' },
  // TensorFlow's dependencies of that version cannot be met on Windows.
  { folder: 'tests/bench/tflite', requirements: ['requirements.txt'], lock: 'locked.txt', only: 'linux' },
  { folder: 'tools/train/examples', requirements: ['requirements.txt'], lock: 'locked.txt' },
  { folder: 'tests/bench/fastapi', requirements: ['requirements.txt'], lock: 'locked.txt' },
];

/**
 * The requirements in a text, each with its hashes: `name==version ; marker` and what follows it on indented lines.
 * @param {string} text
 */
export function requirementsIn(text) {
  return text
    .split(/\n(?=[^\s#])/)
    .map((entry) => entry.trim())
    .filter((entry) => /^[\w.-]+==/.test(entry));
}

/**
 * @param {string} path
 * @param {readonly string[]} entries
 */
function write(path, entries) {
  const head = '# Written by tools/build/python-locks.mjs; do not edit.';
  writeFileSync(join(root, path), `${[head, ...entries].join('\n')}\n`);
  say(`  ${path}: ${entries.length} packages`);
}

if (isProgram(import.meta.url)) {
  await main(async () => {
    if (ask('uv', ['--version']) === null) throw new StepError('uv is needed: pip install uv');
    for (const { folder, requirements, lock, only, torch } of LOCKS) {
      const where = only ? ['--python-platform', only] : ['--universal'];
      const flags = [...where, '--generate-hashes', '--python-version', PYTHON, '--quiet'];
      const plain = ['--no-emit-index-url', '--no-header', '--no-annotate'];
      const files = requirements.map((name) => join(folder, name));
      const text = ask('uv', ['pip', 'compile', ...flags, ...plain, ...files]);
      if (text === null) throw new StepError(`uv could not resolve ${files.join(', ')}`);
      const entries = requirementsIn(text);
      const torchs = entries.filter((entry) => TORCH.test(entry));
      write(
        join(folder, lock),
        entries.filter((entry) => !torchs.includes(entry)),
      );
      if (torch === undefined) continue;
      write(join(folder, torch.withCuda), torchs);
      const pinned = /^torch==(\S+)/.exec(torchs.find((entry) => entry.startsWith('torch==')) ?? '')?.[1];
      if (`${pinned}+cpu` !== TORCH_CPU.version)
        throw new StepError(
          `torch is ${pinned} now: put the hashes of its CPU build into tools/build/python-locks.mjs.`,
        );
      const hashes = TORCH_CPU.hashes.map((hash) => `    --hash=sha256:${hash}`);
      write(join(folder, torch.cpu), [[`torch==${TORCH_CPU.version}`, ...hashes].join(' \\\n')]);
    }
  });
}
