// The built site as files: what a host without any configuration would serve.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { filesUnder } from './fingerprint.mjs';
import { seal } from './seal.mjs';
import { siteDir } from './serve.mjs';
import { root } from './steps.mjs';

const files = filesUnder(siteDir).map((path) => path.slice(siteDir.length + 1));
/** @param {string} path */
const text = (path) => readFileSync(join(siteDir, path), 'utf8');
const page = text('index.html');

describe('dist', () => {
  test('has what the embed entry, the engine and the models need', () => {
    const engine = [
      'dermlet.wasm',
      'ort-wasm-simd-threaded.mjs',
      'ort-wasm-simd-threaded.wasm',
      'ort-wasm-simd-threaded.reduced.wasm',
      'ort-wasm-simd-threaded.asyncify.mjs',
      'ort-wasm-simd-threaded.asyncify.wasm',
    ];
    const model = ['manifest.json', 'skin-8.onnx', 'selftest.png', 'selftest.json', 'MODEL_CARD.md', 'LICENSE'];
    const wanted = [
      'index.html',
      'dermlet.js',
      'sw.js',
      ...engine.map((name) => `engine/${name}`),
      ...model.map((name) => `models/skin-8/${name}`),
    ];
    assert.deepEqual(
      wanted.filter((path) => !files.includes(path)),
      [],
    );
  });

  test('lists every model it has, as their manifests say, and the page asks for the default', () => {
    /** @type {import('../../web/src/classifier/documents.js').ModelIndex} */
    const { indexVersion, models } = JSON.parse(text('models/index.json'));
    assert.equal(indexVersion, 1);
    const folders = files
      .filter((path) => /^models\/[^/]+\/manifest\.json$/.test(path))
      .map((path) => path.split('/')[1]);
    assert.deepEqual(models.map(({ name }) => name).sort(), folders.sort());
    for (const { name, title, version, bytes, license, card, classes } of models) {
      const manifest = JSON.parse(text(`models/${name}/manifest.json`));
      assert.deepEqual(
        [name, title, version, license, card],
        [manifest.name, manifest.title, manifest.version, manifest.license, manifest.card],
      );
      assert.deepEqual([bytes, classes], [manifest.file.bytes, manifest.classes.length]);
      assert.equal(statSync(join(siteDir, 'models', name, manifest.file.path)).size, bytes);
      for (const beside of [license.path, card])
        assert.ok(files.includes(`models/${name}/${beside}`), `${name}/${beside}`);
    }
    const defaults = models.filter((model) => model.default).map(({ name }) => name);
    assert.deepEqual(defaults, [/<dermlet-classifier[^>]*\bmodel="([^"]*)"/.exec(page)?.[1]]);
  });

  // The engine keeps the chosen model's weights.
  test('keeps the list, the cards and the licences for offline use, but no weights', () => {
    const kept = [
      ...text('sw.js').matchAll(/url:\s*["'`](models\/[^"'`]*)["'`]|["'`]url["'`]:\s*["'`](models\/[^"'`]*)["'`]/g),
    ].map(([, a, b]) => a ?? b ?? '');
    assert.ok(kept.includes('models/index.json'));
    assert.ok(kept.includes('models/skin-8/LICENSE'));
    assert.deepEqual(
      kept.filter((path) => /\.onnx$|manifest\.json$/.test(path)),
      [],
    );
  });

  test('has every figure that the card shows', () => {
    const drawings = [...text('models/skin-8/MODEL_CARD.md').matchAll(/!\[[^\]]*\]\(([^)]+)\)/g)].map(
      ([, address]) => `models/skin-8/${address}`,
    );
    assert.ok(drawings.length > 0);
    assert.deepEqual(
      drawings.filter((path) => !files.includes(path)),
      [],
    );
  });

  test('has the licence of everything in it, in full', () => {
    assert.ok(page.includes('href="./licenses/index.html"'), 'no link to the licences');
    const list = text('licenses/index.html');
    const links = [...list.matchAll(/<a href="([^"]+)">([^<]+)</g)].map(([, href = '', name = '']) => ({
      name,
      path: href.startsWith('../') ? href.slice('../'.length) : `licenses/${href}`,
    }));
    const { models } = JSON.parse(text('models/index.json'));
    const known = ['lit', 'zstddec', 'valibot', '@messageformat/runtime', 'onnxruntime-web', 'libheif', 'libde265'];
    const compiled = ['Emscripten', 'musl', 'LLVM runtimes', 'stb_image', 'tl::expected', 'EfficientNet-Lite'];
    for (const wanted of [
      'Dermlet',
      ...models.map((/** @type {{ name: string }} */ { name }) => name),
      ...known,
      ...compiled,
    ])
      assert.ok(
        links.some(({ name }) => name === wanted),
        wanted,
      );
    for (const { path } of links) assert.match(text(path), /\b(licen[sc]ed|permi(t|ssion)|dedicate)/i, path);
    const texts = files.filter((path) => /^licenses\/.*\.txt$/.test(path));
    assert.deepEqual(
      texts.filter((path) => !links.some((link) => link.path === path)),
      [],
    );
    // Notices for what is in ONNX Runtime; the GPL that the LGPL refers to.
    assert.match(text('licenses/onnxruntime-web.txt'), /\nEigen\n[\s\S]*\nabseil-cpp\n[\s\S]*\ndawn\n/);
    assert.match(text('licenses/libheif-js.txt'), /LESSER GENERAL PUBLIC LICENSE[\s\S]*GNU GENERAL PUBLIC LICENSE/);
  });

  test('has every drawing that it offers to try, each small and kept for offline use', () => {
    const names = /data-drawings="([^"]+)"/.exec(page)?.[1]?.split(' ') ?? [];
    assert.ok(names.length > 1);
    for (const name of names) {
      assert.ok(statSync(join(siteDir, 'samples', `${name}.png`)).size < 60_000, name);
      assert.ok(text('sw.js').includes(`samples/${name}.png`), name);
    }
  });

  test('has a page about each category of each model, and its card as one, kept and under a strict policy', () => {
    const pages = files.filter((path) => /^(about|docs)\/.*\.html$/.test(path));
    for (const path of files.filter((file) => /^models\/[^/]+\/manifest\.json$/.test(file))) {
      const { name, classes } = JSON.parse(text(path));
      for (const { id } of classes) assert.ok(pages.includes(`about/${id}.html`), id);
      assert.ok(pages.includes(`about/card-${name}.html`), name);
    }
    for (const name of /card-pages="([^"]+)"/.exec(page)?.[1]?.split(' ') ?? assert.fail('no cards'))
      assert.ok(pages.includes(`about/card-${name}.html`), name);
    for (const file of readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md')))
      assert.ok(pages.includes(`docs/${file.replace(/\.md$/, '.html')}`), file);
    for (const path of pages) {
      const html = text(path);
      assert.doesNotMatch(html, /&lt;!--/, path);
      // What a patient reads is kept; what a developer reads is not.
      assert.equal(text('sw.js').includes(path), path.startsWith('about/'), path);
      assert.match(html, /Content-Security-Policy" content="default-src 'none'; script-src 'self'; style-src 'self';/);
      assert.doesNotMatch(html, /<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=/i, path);
      for (const [, address = '', anchor] of html.matchAll(/\b(?:src|href)="(?!https:)([^"#]*)(?:#([^"]+))?"/g)) {
        const target = address === '' ? path : join(dirname(path), address);
        assert.ok(existsSync(join(siteDir, target)), `${path}: ${address}`);
        if (anchor) assert.ok(text(target).includes(`id="${anchor}"`), `${path}: ${address}#${anchor}`);
      }
      if (path.startsWith('about/') && !path.includes('card-'))
        assert.doesNotMatch(html, /\bsafe\b|\bharmless\b|\byou have\b|\bdos(e|age)\b/i, path);
    }
  });

  test('has the core that was built', () => {
    assert.deepEqual(
      readFileSync(join(siteDir, 'engine/dermlet.wasm')),
      readFileSync(join(root, 'build/wasm/dermlet.wasm')),
    );
  });

  test('works from any sub-path: every address in the page is relative and exists', () => {
    const addresses = [...page.matchAll(/\b(?:src|href)="([^"]*)"/g)].map(([, address = '']) => address);
    assert.ok(addresses.length > 3);
    for (const address of addresses) {
      assert.doesNotMatch(address, /^(\/|[a-z][a-z0-9+.-]*:)/i);
      if (address.startsWith('#')) assert.ok(page.includes(`id="${address.slice(1)}"`), address);
      else assert.ok(existsSync(join(siteDir, address)), address);
    }
  });

  test('names the scripts and styles that it needs at once with their hashes', () => {
    for (const html of [page, text('embed.html')]) {
      const named = [...html.matchAll(/<[^>]*"\.\/(assets\/[^"]+\.(?:js|css))"[^>]*>/g)].filter(
        ([tag]) => !tag.includes('rel="preload"'), // the worker's script is asked for by its address alone
      );
      assert.ok(named.length >= 4);
      for (const [tag, path = ''] of named) {
        const hash = createHash('sha256').update(readFileSync(join(siteDir, path)));
        assert.ok(tag.includes(` integrity="sha256-${hash.digest('base64')}"`), tag);
      }
    }
  });

  test('knows the hash of every script that comes later', () => {
    const assets = readdirSync(join(siteDir, 'assets')).filter((name) => name.endsWith('.js'));
    const code = new Map(assets.map((name) => [name, text(`assets/${name}`)]));
    /** @type {Record<string, string[]>} */
    const known = {};
    for (const script of code.values())
      for (const [, sealed = ''] of script.matchAll(/'(\{"dermlet:scripts":[^']*)'/g))
        Object.assign(known, JSON.parse(sealed)['dermlet:scripts']);
    for (const [path, [hash]] of Object.entries(known)) {
      const file = path.startsWith('engine/') ? path : `assets/${path}`;
      assert.equal(
        hash,
        createHash('sha256')
          .update(readFileSync(join(siteDir, file)))
          .digest('hex'),
        path,
      );
    }
    const later = new Set(readdirSync(join(siteDir, 'engine')).filter((name) => name.endsWith('.mjs')));
    for (const [name, script] of code) {
      if (name.startsWith('worker-')) later.add(name);
      for (const [, part = ''] of script.matchAll(/import\(\s*[`'"]\.\/([^`'"]+)[`'"]/g)) later.add(part);
      // What is imported otherwise than by the function that checks would not be checked.
      assert.doesNotMatch(script, /await import\([`'"]/, name);
    }
    assert.ok(later.size > 40);
    for (const name of later) assert.ok(known[name.endsWith('.mjs') ? `engine/${name}` : name], name);
  });

  test('sealing a sealed site changes nothing', () => {
    const read = (/** @type {string} */ name) => readFileSync(join(siteDir, name));
    let written = 0;
    seal({
      names: files,
      read,
      write: (name, bytes) => {
        written += 1;
        assert.ok(bytes.equals(read(name)), name);
      },
    });
    assert.equal(written, 4);
  });

  test('has a strict policy, and nothing in the page violates it', () => {
    const policy = /http-equiv="Content-Security-Policy"\s+content="([^"]*)"/.exec(page)?.[1] ?? '';
    for (const part of [
      "default-src 'none'",
      "script-src 'self' 'wasm-unsafe-eval'",
      "connect-src 'self'",
      "worker-src 'self'",
      "form-action 'none'",
      "base-uri 'none'",
      "require-trusted-types-for 'script'",
    ]) {
      assert.ok(policy.includes(part), part);
    }
    assert.doesNotMatch(policy, /'unsafe-(eval|inline)'|https?:|\*/);
    assert.doesNotMatch(page, /<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=/i);
  });

  test('has a page for frames under the same policy, which names nobody until the owner does', () => {
    const framed = text('embed.html');
    const policyOf = (/** @type {string} */ html) => /Content-Security-Policy"\s+content="([^"]*)"/.exec(html)?.[1];
    assert.equal(policyOf(framed), policyOf(page)?.replace("manifest-src 'self'; ", ''));
    assert.doesNotMatch(framed, /<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|rel="preload"/i);
    assert.deepEqual(JSON.parse(text('embed.json')), { embedVersion: 1, origins: [] });
  });

  test('has a client of such a frame of at most 2 KB gzipped, which needs no other file', (t) => {
    const client = readFileSync(join(siteDir, 'embed.js'));
    const { length } = gzipSync(client, { level: 9 });
    t.diagnostic(`${length} bytes`);
    assert.ok(length <= 2048, `${length} bytes`);
    assert.doesNotMatch(client.toString(), /\bimport\b/);
    assert.match(client.toString(), /as createFrame/);
  });

  test('has documents that lead to the sample forms, and to no page that is not there', () => {
    const links = files
      .filter((path) => /^docs\/.+\.html$/.test(path))
      .flatMap((path) => [...text(path).matchAll(/<a href="(\.[^"#]+)/g)].map(([, href = '']) => ({ path, href })));
    const examples = links.filter(({ href }) => href.startsWith('../examples/'));
    assert.deepEqual(
      examples.map(({ path, href }) => [path, href]),
      ['docs/element.html', 'docs/embedding.html'].flatMap((path) =>
        ['intake', 'frame'].map((name) => [path, `../examples/${name}.html`]),
      ),
    );
    assert.deepEqual(
      links.filter(({ path, href }) => !/\/$/.test(href) && !existsSync(join(siteDir, dirname(path), href))),
      [],
    );
  });

  test('calls no other host in its scripts', () => {
    const calls = /(fetch|importScripts|import|WebSocket|EventSource|sendBeacon|new Worker)\(\s*["'`](https?:)?\/\//;
    assert.deepEqual(
      files.filter((path) => /\.m?js$/.test(path) && calls.test(text(path))),
      [],
    );
  });

  test('contains no path of the build machine and no source map', () => {
    assert.deepEqual(
      files.filter((path) => path.endsWith('.map')),
      [],
    );
    const readable = files.filter((path) => /\.(m?js|css|html|json|webmanifest)$/.test(path));
    assert.deepEqual(
      readable.filter((path) => text(path).includes(root)),
      [],
    );
    assert.ok(!readFileSync(join(siteDir, 'engine/dermlet.wasm')).includes(root));
  });

  test('stays within its size budget', () => {
    // What a first visit loads, without the neural network and its runtime's binary: what scripts import later, when a
    // person asks for something or has a graphics processor, does not count, but its hashes do: 10 kB.
    /** @type {Set<string>} */
    const own = new Set(['index.html', 'engine/dermlet.wasm']);
    /** @param {string} path */
    const add = (path) => {
      if (own.has(path)) return;
      own.add(path);
      for (const [, name] of text(path).matchAll(/(?:from|import)\s*"\.\/([^"]+\.js)"/g)) add(`assets/${name}`);
    };
    for (const path of files) if (/^assets\/(index-|worker-|ort\.wasm)/.test(path)) add(path);
    assert.ok([...own].some((path) => path.startsWith('assets/element-')));
    const total = [...own].reduce((sum, path) => sum + statSync(join(siteDir, path)).size, 0);
    assert.ok(total < 635_000, `${total} bytes: ${[...own].join(', ')}`);
  });
});
