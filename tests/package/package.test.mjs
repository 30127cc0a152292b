// The npm package, installed as a tarball into applications of each kind. Each classifies a drawn picture, and comes to
// what the package says of it in Node.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { cp, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { chromium } from '@playwright/test';
import { createServer as createVite, build as viteBuild } from 'vite';
import webpack from 'webpack';
import { serve } from '../../tools/build/serve.mjs';
import { sample } from '../doc-samples.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '..', '..');
const work = join(root, 'build', 'package-apps');
const PICTURE = 'spot.jpg';
const picture = join(root, 'tests', 'pictures', PICTURE);

const exec = promisify(execFile);
/**
 * @param {string} cwd
 * @param {string} command
 * @param {string[]} args
 */
const call = async (cwd, command, ...args) => (await exec(command, args, { cwd, maxBuffer: 1 << 26 })).stdout;

/**
 * What is read of a result.
 * @typedef {{ outcome: string, ranking: { id: string, probability: number }[] }} Answer
 */

const GUIDE = 'docs/embedding.md';

/** @type {import('@playwright/test').Browser} */
let browser;
/** @type {string} */
let tarball;
/** @type {Answer} */
let expected;

/**
 * A project of its own with the package in it.
 * @param {string} name
 */
async function project(name) {
  const folder = join(work, name);
  await cp(join(here, 'apps', name), folder, { recursive: true });
  await writeFile(join(folder, 'package.json'), JSON.stringify({ name, private: true, type: 'module' }));
  await call(folder, 'npm', 'install', '--offline', '--no-audit', '--no-fund', tarball);
  return folder;
}

/**
 * Packages that an application would have installed beside.
 * @param {string} folder
 * @param {string[]} names
 */
async function link(folder, ...names) {
  for (const name of names) {
    await mkdir(dirname(join(folder, 'node_modules', name)), { recursive: true });
    await symlink(join(here, 'node_modules', name), join(folder, 'node_modules', name), 'dir');
  }
}

/**
 * Does something with a page, which may throw nothing and log no error.
 * @param {string} url
 * @param {(page: import('@playwright/test').Page) => Promise<void>} use
 */
async function inPage(url, use) {
  const page = await browser.newPage();
  /** @type {string[]} */
  const faults = [];
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('console', (message) => message.type() === 'error' && faults.push(message.text()));
  try {
    await page.goto(url);
    await use(page);
    assert.deepEqual(faults, []);
  } finally {
    await page.close();
  }
}

/**
 * The same classes in the same order, to what floating point differs between machines' code.
 * @param {Answer} result
 * @param {string} [message]
 */
function assertSame(result, message) {
  assert.equal(result.outcome, expected.outcome, message);
  assert.deepEqual(
    result.ranking.map(({ id }) => id),
    expected.ranking.map(({ id }) => id),
    message,
  );
  result.ranking.forEach(({ probability }, i) =>
    assert.ok(Math.abs(probability - (expected.ranking[i]?.probability ?? NaN)) < 1e-4, message),
  );
}

/**
 * A person chooses a photo in the element.
 * @param {import('@playwright/test').Page} page
 */
async function choose(page) {
  await page.locator('dermlet-classifier input#choose').setInputFiles(picture);
  await page.locator('dermlet-classifier #verdict').waitFor({ timeout: 90_000 });
}

/**
 * An application whose element classifies, and which says so itself.
 * @param {string} url
 */
const checkElement = (url) =>
  inPage(url, async (page) => {
    await choose(page);
    await page.getByText(`${PICTURE}: ${expected.outcome}`).waitFor();
  });

/**
 * What the application's own code makes of a picture.
 * @param {import('@playwright/test').Page} page
 * @param {string} address
 */
const classified = (page, address) => page.evaluate((input) => /** @type {any} */ (window).classify(input), address);

/**
 * What was built, at an address of its own for as long as it is used.
 * @param {string} root
 * @param {string} base
 * @param {(url: string) => Promise<unknown>} use
 */
async function whileServed(root, base, use) {
  const site = await serve({ root, port: 0, base });
  try {
    await use(site.url);
  } finally {
    await site.close();
  }
}

/**
 * A document is at its address, whatever it is.
 * @param {string} address
 * @param {RegExp} text
 */
async function assertThere(address, text) {
  const response = await fetch(address);
  assert.equal(response.status, 200, address);
  assert.match(await response.text(), text);
}

before(async () => {
  await rm(work, { recursive: true, force: true });
  await mkdir(work, { recursive: true });
  const [{ filename }] = JSON.parse(
    await call(work, 'npm', 'pack', join(root, 'build', 'package'), '--json', '--pack-destination', work),
  );
  tarball = join(work, filename);
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-background-networking', '--no-first-run'],
  });
});

after(() => browser?.close());

describe('in Node', () => {
  /** @type {string} */
  let folder;
  before(async () => {
    folder = await project('site');
  });

  test('a script classifies and ends by itself', async () => {
    const { result, same, missing } = JSON.parse(await call(folder, 'node', 'script.mjs', picture));
    assert.equal(result.ranking.length, 8);
    assert.deepEqual(same, result.ranking);
    assert.equal(missing, 'UNREADABLE_FILE');
    expected = result;
  });

  test('the command line says the same', async () => {
    const bin = join(folder, 'node_modules', '.bin', 'dermlet');
    assert.match(await call(folder, bin, '--help'), /dermlet classify .*dermlet evaluate .*dermlet copy-assets/s);
    assertSame(JSON.parse(await call(folder, bin, 'classify', picture, '--json')));
    for (const [type, library] of [
      ['heic', 'libheif'],
      ['webp', 'libwebp'],
      ['avif', 'libavif'],
    ]) {
      const foreign = join(root, 'tests', 'pictures', 'foreign', `lossy.${type}`);
      assert.equal(JSON.parse(await call(folder, bin, 'classify', foreign, '--json')).source.decodePath, library);
    }
  });

  test('every entry can be imported where there is no document', async () => {
    assert.equal(
      await call(folder, 'node', 'server.mjs'),
      '["function","function","function","function","function","function"] true\n',
    );
  });

  test('the imports of the README stand in one module', async () => {
    await writeFile(join(folder, 'imports.mjs'), sample('README.md', 'Classifier as InNode'));
    assert.equal(await call(folder, 'node', 'imports.mjs'), '');
  });

  test('the package holds what it promises', async () => {
    const inPackage = join(folder, 'node_modules', 'dermlet');
    const manifest = JSON.parse(await readFile(join(inPackage, 'package.json'), 'utf8'));
    assert.equal(manifest.dependencies, undefined);
    const paths = Object.values(manifest.exports).flatMap((entry) =>
      Object.values(typeof entry === 'string' ? [entry] : entry),
    );
    for (const path of [...paths, manifest.bin.dermlet, manifest.customElements])
      if (!path.includes('*')) await readFile(join(inPackage, path));
    const elements = JSON.parse(await readFile(join(inPackage, manifest.customElements), 'utf8'));
    const [{ tagName, attributes, events }] = elements.modules.flatMap(
      (/** @type {{ declarations: unknown[] }} */ { declarations }) => declarations,
    );
    assert.equal(tagName, 'dermlet-classifier');
    const names = (/** @type {{ name: string }[]} */ list) => list.map(({ name }) => name);
    assert.deepEqual(names(attributes).sort(), [
      'asset-base',
      'backend',
      'card-pages',
      'category-pages',
      'disabled',
      'doctor-search',
      'filled',
      'load',
      'modality',
      'model',
      'name',
      'required',
      'submit-photo',
      'whole-page',
    ]);
    assert.deepEqual(names(events), ['dermlet-ready', 'dermlet-result', 'dermlet-error']);
  });

  test('the package brings the licence of everything in it, the decoders of Node included', async () => {
    const licenses = join(folder, 'node_modules', 'dermlet', 'dist', 'licenses');
    const list = await readFile(join(licenses, 'index.html'), 'utf8');
    const links = new Map([...list.matchAll(/<a href="([^"]+)">([^<]+)</g)].map(([, href = '', name]) => [name, href]));
    const decoders = ['icodec', 'libwebp', '@jsquash/avif', 'libavif', 'libaom', 'libyuv', 'libheif', 'libde265'];
    for (const name of ['Dermlet', 'onnxruntime-web', 'lit', '@lit-labs/ssr-dom-shim', 'csv-parse', ...decoders])
      assert.ok(links.has(name), name);
    for (const href of links.values())
      assert.match(await readFile(join(licenses, href), 'utf8'), /\b(licen[sc]ed|permi(t|ssion)|dedicate)/i, href);
  });
});

// Two at a time: much of it is waiting for bundlers' own processes and for pages.
describe('in applications', { concurrency: 2 }, () => {
  describe('types', { concurrency: 1 }, () => {
    const options = [
      '--ignoreConfig',
      '--noEmit',
      '--strict',
      '--target',
      'es2022',
      '--lib',
      'es2023,dom,dom.iterable',
      '--types',
      '',
    ];
    const tsc = join(root, 'node_modules', '.bin', 'tsc');

    test('of every entry, for bundlers and for Node, without React', async () => {
      const folder = await project('types');
      for (const way of [
        ['--module', 'esnext', '--moduleResolution', 'bundler'],
        ['--module', 'nodenext', '--moduleResolution', 'nodenext'],
      ])
        await call(folder, tsc, ...options, ...way, 'plain.ts').catch((error) => assert.fail(error.stdout));
    });

    test('of the element in React’s JSX', async () => {
      const folder = join(work, 'types');
      await link(folder, 'react', '@types/react');
      await writeFile(join(folder, 'sample.tsx'), sample(GUIDE, 'export function Skin'));
      await call(
        folder,
        tsc,
        ...options,
        '--module',
        'esnext',
        '--moduleResolution',
        'bundler',
        '--jsx',
        'react-jsx',
        'react.tsx',
        'sample.tsx',
      ).catch((error) => assert.fail(error.stdout));
    });
  });

  describe('Vite', { concurrency: 1 }, () => {
    /** @type {string} */
    let folder;
    before(async () => {
      folder = await project('vite');
      await link(folder, 'react', 'react-dom', '@types/react');
      await writeFile(join(folder, 'src', 'Skin.tsx'), sample(GUIDE, 'export function Skin'));
      await writeFile(join(folder, 'src', 'scored.js'), sample(GUIDE, 'export async function scored'));
      await mkdir(join(folder, 'public'));
      await cp(picture, join(folder, 'public', PICTURE));
    });

    /** @param {string} url */
    async function check(url) {
      await inPage(url, async (page) => {
        const { result, answer, license, scores } = await classified(page, PICTURE);
        assertSame(result);
        assert.equal(answer.all_predictions.length, 3);
        await assertThere(license.url, /Creative Commons/);
        await choose(page);
        await page.getByText(`${PICTURE}: ${expected.outcome}`).waitFor();
        assert.equal(scores[0].first, expected.ranking[0]?.id);
        assert.equal(scores[0].outcome, expected.outcome);
        assert.deepEqual(scores[1], { outcome: 'UNSUPPORTED_FORMAT' });
      });
    }

    test('in development', async () => {
      const server = await createVite({ root: folder, logLevel: 'error', server: { port: 0, host: '127.0.0.1' } });
      await server.listen();
      try {
        await check(server.resolvedUrls?.local[0] ?? '');
      } finally {
        await server.close();
      }
    });

    test('in production, under a sub-path', async () => {
      await viteBuild({ root: folder, logLevel: 'error', base: './' });
      await whileServed(join(folder, 'dist'), '/some/where/', check);
    });
  });

  test('Vue', async () => {
    const folder = await project('vue');
    await link(folder, 'vue', '@vitejs/plugin-vue');
    await writeFile(join(folder, 'src', 'Skin.vue'), sample(GUIDE, '<script setup>'));
    await writeFile(join(folder, 'vite.config.js'), sample(GUIDE, 'isCustomElement'));
    await viteBuild({ root: folder, logLevel: 'error', base: './' });
    await whileServed(join(folder, 'dist'), '/app/', checkElement);
  });

  describe('Angular', { concurrency: 1 }, () => {
    /** @type {string} */
    let folder;
    before(async () => {
      folder = await project('angular');
      await link(folder, '@angular/build', '@angular/common', '@angular/compiler', '@angular/compiler-cli');
      await link(folder, '@angular/core', '@angular/platform-browser', 'rxjs', 'tslib', 'typescript');
      await writeFile(join(folder, 'src', 'skin.ts'), sample(GUIDE, 'CUSTOM_ELEMENTS_SCHEMA'));
      const path = join(folder, 'angular.json');
      const settings = JSON.parse(await readFile(path, 'utf8'));
      const { architect } = settings.projects.app;
      for (const [target, { options }] of Object.entries(JSON.parse(sample(GUIDE, 'prebundle'))))
        Object.assign(architect[target].options, options);
      await writeFile(path, JSON.stringify(settings));
    });

    const ng = join(here, 'ng.mjs');

    test('in development', async () => {
      const server = spawn(process.execPath, [ng, 'serve'], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
      try {
        const url = await new Promise((done, failed) => {
          let said = '';
          for (const stream of [server.stdout, server.stderr])
            stream.on('data', (data) => {
              said += data;
              const [, address] = /^serves (\S+)$/m.exec(said) ?? [];
              if (address) done(address);
            });
          server.on('close', () => failed(new Error(said)));
        });
        await checkElement(url);
      } finally {
        server.kill();
      }
    });

    test('in production, below its base address', async () => {
      await call(folder, process.execPath, ng, 'build').catch(({ stdout, stderr }) => assert.fail(stdout + stderr));
      await whileServed(join(folder, 'dist', 'browser'), '/app/', checkElement);
    });
  });

  test('webpack 5', async () => {
    const folder = await project('webpack');
    const stats = await promisify(webpack)({
      context: folder,
      mode: 'production',
      entry: './src/main.js',
      output: { path: join(folder, 'dist') },
      performance: false,
    });
    assert.deepEqual(stats.toJson({ all: false, errors: true, warnings: true }), {
      errors: [],
      warnings: [],
    });
    for (const [from, name] of Object.entries({ [picture]: PICTURE, [join(folder, 'page.html')]: 'page.html' }))
      await cp(from, join(folder, 'dist', name));
    await whileServed(join(folder, 'dist'), '/app/', async (url) => {
      await inPage(`${url}page.html`, async (page) => {
        const { result, license, models } = await classified(page, PICTURE);
        assertSame(result);
        await assertThere(license.url, /Creative Commons/);
        assert.deepEqual(models, ['skin-8 true', 'skin-open false']);
        await choose(page);
      });
    });
  });

  describe('a plain page', { concurrency: 1 }, () => {
    /** @type {import('../../tools/build/serve.mjs').Served} */
    let site;
    /** @type {import('../../tools/build/serve.mjs').Served} */
    let assets;
    const folder = join(work, 'site');
    before(async () => {
      await cp(picture, join(folder, 'pages', PICTURE));
      site = await serve({ root: folder, port: 0 });
      const copied = join(folder, 'copied');
      const said = await call(folder, join(folder, 'node_modules', '.bin', 'dermlet'), 'copy-assets', copied);
      assert.match(said, /element\.js/);
      assert.ok(!(await readdir(copied)).includes('node'));
      assets = await serve({ root: copied, port: 0, headers: { 'Access-Control-Allow-Origin': '*' } });
    });
    after(() => Promise.all([site?.close(), assets?.close()]));

    /**
     * A page of the site's whose code is another origin's, under a policy of its own.
     * @param {string} name
     * @param {string} [policy]
     */
    async function foreignPage(name, policy) {
      const html = await readFile(join(folder, 'pages', 'plain.html'), 'utf8');
      const meta = policy ? `<meta http-equiv="Content-Security-Policy" content="${policy}">` : '';
      const text = html
        .replaceAll('../node_modules/dermlet/dist/', assets.url)
        .replace('<meta charset="utf-8" />', `<meta charset="utf-8" />${meta}`);
      await writeFile(join(folder, 'pages', name), text);
      return `${site.url}pages/${name}`;
    }

    /**
     * @param {import('@playwright/test').Page} page
     * @param {object} options
     */
    const classify = (page, options) =>
      page.evaluate(
        async ({ name, options }) => {
          const classifier = await /** @type {any} */ (window).load(undefined, options);
          const result = await classifier.classify(name);
          classifier.dispose();
          return result;
        },
        { name: PICTURE, options },
      );

    test('from another folder, with the element', () =>
      inPage(`${site.url}pages/plain.html`, async (page) => {
        assertSame(await classify(page, {}));
        await choose(page);
      }));

    test('as the guide has it, from a folder of its own', async () => {
      await symlink(join(folder, 'copied'), join(folder, 'pages', 'dermlet'), 'dir');
      const head = '<meta charset="utf-8"><title>Guide</title><link rel="icon" href="data:,">';
      const page = sample(GUIDE, '<p id="answer">');
      await writeFile(join(folder, 'pages', 'guide.html'), `<!doctype html><html lang="en">${head}${page}`);
      await inPage(`${site.url}pages/guide.html`, async (page) => {
        await choose(page);
        const { outcome, tier, ranking } = /** @type {Answer & { tier: string }} */ (expected);
        await page.getByText(`${outcome}, ${tier}, ${ranking[0]?.id}`, { exact: true }).waitFor();
      });
    });

    test('gives pixels in place of a file, and addresses of its own origin alone', () =>
      inPage(`${site.url}pages/plain.html`, async (page) => {
        const results = await page.evaluate(async (name) => {
          const bitmap = await createImageBitmap(await (await fetch(name)).blob());
          const canvas = Object.assign(document.createElement('canvas'), {
            width: bitmap.width,
            height: bitmap.height,
          });
          const context = canvas.getContext('2d');
          if (context === null) throw new Error('There is no canvas.');
          context.drawImage(bitmap, 0, 0);
          const pixels = context.getImageData(0, 0, canvas.width, canvas.height);
          const offscreen = new OffscreenCanvas(canvas.width, canvas.height);
          offscreen.getContext('2d')?.drawImage(bitmap, 0, 0);
          const classifier = await /** @type {any} */ (window).load();
          const answers = [];
          for (const input of [bitmap, canvas, pixels, offscreen]) answers.push(await classifier.classify(input));
          const refused = await classifier
            .classify('https://elsewhere.example/photo.jpg')
            .catch((/** @type {{ code: string }} */ { code }) => code);
          return { answers, refused };
        }, PICTURE);
        assert.equal(results.refused, 'INVALID_ARGUMENT');
        for (const { source, ranking } of results.answers) {
          assert.deepEqual([source.format, source.decodePath, source.bitExact], ['pixels', 'caller', false]);
          assert.equal(ranking[0].id, expected.ranking[0]?.id);
          assert.ok(Math.abs(ranking[0].probability - (expected.ranking[0]?.probability ?? NaN)) < 0.05);
        }
      }));

    test('whose engine and models lie at another origin', () =>
      inPage(`${site.url}pages/plain.html`, async (page) =>
        assertSame(await classify(page, { assetBase: `${assets.url}engine/` })),
      ));

    test('whose code comes from another origin too', async () =>
      inPage(await foreignPage('foreign.html'), async (page) => {
        assertSame(await classify(page, {}));
        await choose(page);
      }));

    test('says what helps where its policy forbids that', async () => {
      const origin = new URL(assets.url).origin;
      const policies = [
        `script-src 'self' 'unsafe-inline' ${origin}; worker-src 'self'`,
        `script-src 'self' 'unsafe-inline' ${origin}`,
      ];
      for (const [index, policy] of policies.entries()) {
        const page = await browser.newPage();
        await page.goto(await foreignPage(`forbidden-${index}.html`, policy));
        const error = await page.evaluate(() =>
          /** @type {any} */ (window).load().then(
            () => null,
            (/** @type {{ name: string, code: string, message: string }} */ { name, code, message }) => ({
              name,
              code,
              message,
            }),
          ),
        );
        assert.equal(`${error?.name} ${error?.code}`, 'DermletError POLICY_BLOCKED', policy);
        assert.match(error.message, /worker-src blob:.*script-src http.*copy-assets/);
        await page.close();
      }
    });
  });
});
