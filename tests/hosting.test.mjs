// The server settings of docs/hosting.md as they stand there: nginx with them serves the built site, and the commands
// for object stores leave each file with its headers, the files that name others last.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, relative, sep } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { siteDir, typeOf } from '../tools/build/serve.mjs';
import { findNginx } from '../tools/build/toolchain.mjs';
import { sample } from './doc-samples.mjs';

const GUIDE = 'docs/hosting.md';
const HOST = 'dermlet.example.org';
const FOR_EVER = 'public, max-age=31536000, immutable';

/** Files of the site, from its folder, with `/`. */
const files = readdirSync(siteDir, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
  .map(({ parentPath, name }) => relative(siteDir, join(parentPath, name)).split(sep).join('/'));

const cacheOf = (/** @type {string} */ file) => (file.startsWith('assets/') ? FOR_EVER : 'no-cache');
const mediaType = (/** @type {string | undefined} */ type) => type?.replace(/;.*/, '');

/** @type {string} */
let folder;
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'dermlet-hosting-'));
});
after(() => rmSync(folder, { recursive: true }));

const nginx = findNginx();
describe('nginx', { skip: nginx === null && 'nginx is not on this machine, and apt could not fetch it' }, () => {
  /** @type {import('node:child_process').ChildProcess} */
  let server;
  /** @type {number} */
  let port;
  let said = '';

  before(async () => {
    const found = createServer();
    await new Promise((done) => found.listen(0, '127.0.0.1', () => done(null)));
    port = /** @type {import('node:net').AddressInfo} */ (found.address()).port;
    await new Promise((done) => found.close(done));
    const [certificate, key] = [join(folder, 'certificate.pem'), join(folder, 'key.pem')];
    const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1'];
    const name = ['-subj', `/CN=${HOST}`, '-addext', `subjectAltName=DNS:${HOST}`];
    execFileSync('openssl', ['req', ...kind, ...name, '-keyout', key, '-out', certificate], { stdio: 'pipe' });
    /** @type {[from: string, to: string][]} */
    const here = [
      ['listen 443 ssl;', `listen 127.0.0.1:${port} ssl;`],
      ['/srv/dermlet;', `${siteDir};`],
      [`/etc/ssl/${HOST}.pem;`, `${certificate};`],
      [`/etc/ssl/${HOST}.key;`, `${key};`],
    ];
    let block = sample(GUIDE, 'gzip_static');
    for (const [from, to] of here) {
      assert.equal(block.split(from).length, 2, `once in the guide: ${from}`);
      block = block.replace(from, to);
    }
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
      .map((kind) => `${kind}_temp_path ${join(folder, kind)};`)
      .join(' ');
    const settings = join(folder, 'nginx.conf');
    // What Debian's own file has around the sites; one process of this user.
    const around = `daemon off; master_process off; pid ${join(folder, 'pid')}; error_log stderr; events {}`;
    const own = `default_type application/octet-stream; access_log off; ${temporary}`;
    writeFileSync(settings, `${around}\nhttp {\n${own}\n${block}\n}\n`);
    server = spawn(/** @type {string} */ (nginx), ['-c', settings, '-p', folder], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    server.stderr?.on('data', (data) => {
      said += data;
    });
    for (let tries = 0; server.exitCode === null; tries++) {
      const answer = await get('', {}).catch((error) => error);
      if (!(answer instanceof Error)) return;
      if (tries > 100) throw answer;
      await new Promise((done) => setTimeout(done, 100));
    }
    assert.fail(said);
  });
  after(() => server?.kill());

  /**
   * @param {string} path
   * @param {Record<string, string>} headers
   * @returns {Promise<{ status: number | undefined, headers: import('node:http').IncomingHttpHeaders, body: Buffer }>}
   */
  const get = (path, headers) =>
    new Promise((done, failed) => {
      const ca = readFileSync(join(folder, 'certificate.pem'));
      const asked = request(
        {
          host: '127.0.0.1',
          port,
          path: `/${encodeURI(path)}`,
          servername: HOST,
          ca,
          agent: false,
          headers: { host: HOST, ...headers },
        },
        (response) => {
          /** @type {Buffer[]} */
          const chunks = [];
          response.on('data', (chunk) => chunks.push(chunk));
          response.on('end', () =>
            done({ status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks) }),
          );
        },
      );
      asked.on('error', failed).end();
    });

  test('each file comes whole, with its type and how long it is kept', async () => {
    assert.ok(files.length > 150);
    for (const file of files) {
      const { status, headers, body } = await get(file, {});
      assert.equal(status, 200, file);
      assert.equal(body.length, statSync(join(siteDir, file)).size, file);
      // A licence that is named as one is text, too.
      const type = file.endsWith('.LICENSE') ? 'text/plain' : typeOf(file);
      assert.equal(mediaType(headers['content-type']), mediaType(type), file);
      if (/^text\/(plain|html)/.test(type)) assert.match(headers['content-type'] ?? '', /charset=utf-8/, file);
      assert.equal(headers['cache-control'], cacheOf(file), file);
    }
  });

  test('the headers of the guide are sent with pages and the engine, those of scripts with assets', async () => {
    const wanted = sample(GUIDE, 'Permissions-Policy: ').trim().split('\n');
    const asset = files.find((file) => /^assets\/.*\.js$/.test(file)) ?? '';
    for (const file of ['', 'sw.js', 'engine/dermlet.wasm', 'models/index.json', 'no-such-file', asset]) {
      const { headers } = await get(file, {});
      for (const line of wanted) {
        const [name = '', value] = line.split(/: (.*)/);
        if (
          file === asset &&
          !/^(Content-Security-Policy|Cross-Origin-(Embedder|Resource)-Policy|X-Content-Type-Options)$/.test(name)
        )
          continue;
        assert.equal(headers[name.toLowerCase()], value, `${name} of /${file}`);
      }
    }
  });

  test('what shrinks is compressed', async () => {
    for (const file of ['engine/dermlet.wasm', 'dermlet.js', 'models/skin-8/manifest.json', 'read.css', 'icon.svg']) {
      const { headers, body } = await get(file, { 'accept-encoding': 'gzip' });
      assert.equal(headers['content-encoding'], 'gzip', file);
      assert.deepEqual(gunzipSync(body), readFileSync(join(siteDir, file)), file);
    }
    assert.doesNotMatch(said, /\[warn\]/);
  });
});

test('object stores: each file is put once, with its headers, and what names others last', () => {
  const program = fileURLToPath(new URL('aws-stand-in.mjs', import.meta.url));
  writeFileSync(join(folder, 'aws'), `#!/bin/sh\nexec '${process.execPath}' '${program}' "$@"\n`, { mode: 0o755 });
  symlinkSync(siteDir, join(folder, 'dist'), 'dir');
  execFileSync('sh', ['-ec', sample(GUIDE, 'aws s3 sync')], {
    cwd: folder,
    env: { ...process.env, PATH: `${folder}:${process.env.PATH}` },
  });
  /** @type {[name: string, type: string, cache: string | null, encoding: string | null][]} */
  const put = readFileSync(join(folder, 'log'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const names = put.map(([name]) => name).filter((name) => !name.startsWith('.'));
  assert.deepEqual(names.toSorted(), files.toSorted());
  for (const [name, type, cache, encoding] of put) {
    assert.equal(cache, cacheOf(name), name);
    if (/\.(m?js|wasm|html|css|json|svg|webmanifest)$/.test(name)) assert.equal(type, mediaType(typeOf(name)), name);
    const stored = readFileSync(join(folder, 'store', name));
    assert.equal(encoding ?? '', name.endsWith('.wasm') ? 'gzip' : '', name);
    assert.deepEqual(encoding ? gunzipSync(stored) : stored, readFileSync(join(siteDir, name)), name);
  }
  assert.deepEqual(names.slice(-2).sort(), ['index.html', 'sw.js']);
});
