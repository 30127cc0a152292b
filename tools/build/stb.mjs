// stb_image.h, 2.30 or newer: older ones let a crafted JPEG write out of bounds. The system's if new enough, else the
// copy in the source package `libstb` on PyPI, fetched by name and checked against a pinned hash. No code of that
// package is run.
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sha256 } from './hash.mjs';
import { withLock } from './lock.mjs';
import { cacheDir, onExit, run, StepError, step, upToDate } from './steps.mjs';

const OLDEST = /** @type {const} */ ([2, 30]);
const SYSTEM = '/usr/include/stb';
const CACHED = join(cacheDir, 'stb');

const PACKAGE = 'libstb';
const VERSION = '0.8.0';
const ARCHIVE_SHA256 = 'dc51a22f4eec2f06e09104bc15869e07373ecc83056a2355cacd177f30a657d8';
const HEADER_SHA256 = '594c2fe35d49488b4382dbfaec8f98366defca819d916ac95becf3e75f4200b3';
const HEADER = `${PACKAGE}-${VERSION}/src/third_party/stb/stb_image.h`;

/**
 * [major, minor] from the header's first line, or null.
 * @param {string} text
 * @returns {readonly [number, number] | null}
 */
export function stbVersion(text) {
  const match = /^\/\* stb_image - v(\d+)\.(\d+)\b/.exec(text);
  return match === null ? null : [Number(match[1]), Number(match[2])];
}

/** @param {readonly [number, number] | null} version */
export function isNewEnough(version) {
  return version !== null && (version[0] > OLDEST[0] || (version[0] === OLDEST[0] && version[1] >= OLDEST[1]));
}

/** @param {string} folder */
function usableIn(folder) {
  const path = join(folder, 'stb_image.h');
  return existsSync(path) && isNewEnough(stbVersion(readFileSync(path, 'latin1')));
}

function cachedIsRight() {
  const path = join(CACHED, 'stb_image.h');
  return existsSync(path) && sha256(readFileSync(path)) === HEADER_SHA256;
}

/**
 * The folder of a usable stb_image.h, or null. DERMLET_STB_DIR overrides it; a version too old there is refused.
 */
export function findStb() {
  const chosen = process.env.DERMLET_STB_DIR;
  if (chosen) {
    if (!usableIn(chosen))
      throw new StepError(
        `DERMLET_STB_DIR=${chosen} holds no stb_image.h ${OLDEST.join('.')} or newer; older ones are unsafe.`,
      );
    return chosen;
  }
  if (usableIn(SYSTEM)) return SYSTEM;
  return cachedIsRight() ? CACHED : null;
}

export function stbNeedsPip() {
  return findStb() === null;
}

// Before it keeps a source archive, pip asks the package's own build backend for its name and version, which would
// first have to install that backend. This stand-in answers instead.
const STAND_IN = `
import os
def prepare_metadata_for_build_wheel(folder, config_settings=None):
    name = "${PACKAGE}-${VERSION}.dist-info"
    os.makedirs(os.path.join(folder, name))
    with open(os.path.join(folder, name, "METADATA"), "w") as file:
        file.write("Metadata-Version: 2.1\\nName: ${PACKAGE}\\nVersion: ${VERSION}\\n")
    return name
`;

/** @param {readonly string[]} pip */
async function fetchHeader(pip) {
  const work = join(cacheDir, `stb-fetch-${process.pid}`);
  const backend = join(work, 'backend', 'scikit_build_core');
  const clear = () => rmSync(work, { recursive: true, force: true });
  const forget = onExit(clear);
  try {
    mkdirSync(backend, { recursive: true });
    mkdirSync(CACHED, { recursive: true });
    writeFileSync(join(backend, '__init__.py'), '');
    writeFileSync(join(backend, 'build.py'), STAND_IN);
    writeFileSync(join(work, 'requirements.txt'), `${PACKAGE}==${VERSION} --hash=sha256:${ARCHIVE_SHA256}\n`);
    const flags = [
      '--require-hashes',
      '--no-deps',
      '--no-binary',
      ':all:',
      '--no-build-isolation',
      '--disable-pip-version-check',
    ];
    const [program = '', ...first] = pip;
    await run(program, [...first, 'download', ...flags, '-r', 'requirements.txt', '-d', work], {
      cwd: work,
      env: { PYTHONPATH: join(work, 'backend') },
      log: 'stb',
    });
    const archive = readdirSync(work).find((name) => name.endsWith('.tar.gz'));
    if (archive === undefined || sha256(readFileSync(join(work, archive))) !== ARCHIVE_SHA256) {
      throw new StepError(`${PACKAGE} ${VERSION} is not the archive that was pinned.`);
    }
    await run('tar', ['-xzf', archive, HEADER], { cwd: work, log: 'stb', append: true });
    const header = join(work, HEADER);
    const text = readFileSync(header);
    if (!isNewEnough(stbVersion(text.toString('latin1'))) || sha256(text) !== HEADER_SHA256) {
      throw new StepError(`stb_image.h in ${PACKAGE} ${VERSION} is not the ${OLDEST.join('.')} that was pinned.`);
    }
    copyFileSync(header, join(CACHED, 'stb_image.h'));
  } finally {
    forget();
    clear();
  }
}

/**
 * The folder of a usable stb_image.h, fetched if there is none. `pip` returns the command that runs pip.
 * @param {() => string[] | null} pip
 */
export async function ensureStb(pip) {
  const title = 'stb_image';
  const found = findStb();
  if (found !== null) {
    upToDate(title);
    return found;
  }
  return withLock(title, async () => {
    if (findStb() === null) {
      const command = pip();
      if (command === null) throw new StepError('pip is needed to fetch stb_image.h; install python3-pip.');
      await step(`${title}: fetching ${PACKAGE} ${VERSION}`, () => fetchHeader(command));
    }
    const fetched = findStb();
    if (fetched === null) throw new StepError('stb_image.h was fetched and is not there.');
    return fetched;
  });
}
