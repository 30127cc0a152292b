/**
 * The built site on a free port under a sub-path, with a log of requests and responses that a test can replace.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sha256 } from '../../tools/build/hash.mjs';
import { seal } from '../../tools/build/seal.mjs';
import { type Answer, siteDir as built, type Served, type ServedRequest, serve } from '../../tools/build/serve.mjs';

export const root = fileURLToPath(new URL('../..', import.meta.url));
/** `npm test` passes a copy, so that a concurrent build cannot change the site. */
export const siteDir = process.env.DERMLET_SITE ?? built;
/** The page as one file; a copy of it, as above. */
export const singleFile = process.env.DERMLET_SINGLE ?? join(root, 'dist-single', 'dermlet.html');
const BASE = '/some/where/dermlet/';

/** Small models, a folder each, and what Keras says of pictures. */
export const importedDir = join(root, 'tests', 'imported');
export const pictureDir = join(root, 'tests', 'pictures');
/** The path of a picture in tests/pictures by name; a full path stays as it is. */
export const picture = (name: string): string => resolve(pictureDir, name);

interface SecondManifest {
  version: string;
  title: string;
  card: string;
  license: { id: string; path: string; nonCommercial: boolean };
  file: { path: string; bytes: number };
  classes: { name: string }[];
}

/** Every file that a manifest lists with a hash, at any depth. */
function filesIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  const { path, sha256 } = value as { path?: unknown; sha256?: unknown };
  return typeof path === 'string' && typeof sha256 === 'string' ? [path] : Object.values(value).flatMap(filesIn);
}

/**
 * The page's own policy, for pages that tests add: they must work under it. Tests may start workers of their own there,
 * by a policy for Trusted Types named "tests".
 */
function policy(): string {
  const meta = /<meta\s+http-equiv="Content-Security-Policy"[^>]*>/.exec(
    readFileSync(join(siteDir, 'index.html'), 'utf8'),
  );
  if (meta === null) throw new Error('dist/index.html has no Content-Security-Policy');
  return meta[0].replace('trusted-types ', 'trusted-types tests ');
}

/** Whether the site knows the hash of a file: a script whose name changes with it, or one of the engine's. */
const isScript = (path: string): boolean => /^(assets\/[^/]+\.js|engine\/[^/]+\.mjs)$/.test(path);

export class Site {
  /** Responses that replace files, by path relative to the site. */
  readonly answers = new Map<string, Answer>();
  readonly log: ServedRequest[] = [];
  readonly #tampered = new Set<string>();
  /** The files that follow from those that were replaced, which `key` names. */
  #sealed = { key: '', files: new Map<string, Uint8Array>() };
  #served: Served | undefined;

  get url(): string {
    if (this.#served === undefined) throw new Error('the site is not served');
    return this.#served.url;
  }

  get origin(): string {
    return new URL(this.url).origin;
  }

  async open(): Promise<void> {
    this.#served = await serve({
      root: siteDir,
      port: 0,
      base: BASE,
      onRequest: (request) => this.log.push(request),
      // What a test says of a file is true of its compressed form too.
      override: (path) =>
        this.#resealed(path) ??
        this.answers.get(path) ??
        this.answers.get(path.replace(/\.zst$/, '')) ??
        this.#testPicture(path),
    });
    this.addPage('api.html', '');
  }

  /** Other bytes than the site was built with, whose scripts else are what `answers` has in their place. */
  tamper(path: string, answer: Answer): void {
    this.answers.set(path, answer);
    this.#tampered.add(path);
  }

  /** A script that was replaced, and each file that knows hashes of such, as the build would have made them. */
  #resealed(path: string): Answer | undefined {
    const files = new Map<string, Uint8Array>();
    for (const [name, { body, status = 200 }] of this.answers)
      if (status === 200 && isScript(name) && existsSync(join(siteDir, name)) && !this.#tampered.has(name))
        files.set(name, Buffer.from(body));
    const key = [...files].map(([name, body]) => name + sha256(body)).join();
    if (key === '') return undefined;
    if (this.#sealed.key !== key) {
      const names = this.files().filter((name) => /^[^/]+\.html$/.test(name) || isScript(name));
      const write = (name: string, bytes: Buffer) => files.set(name, bytes);
      seal({ names, read: (name) => files.get(name) ?? this.read(name), write });
      this.#sealed = { key, files };
    }
    const name = path === '' ? 'index.html' : path;
    const body = this.#sealed.files.get(name);
    if (!body || (this.answers.has(name) && !isScript(name))) return undefined;
    const type = isScript(name) ? 'text/javascript' : 'text/html; charset=utf-8';
    return { type, ...this.answers.get(name), body };
  }

  /** Stops the server. */
  async close(): Promise<void> {
    await this.#served?.close();
  }

  /** Adds a page, for tests only, with the site's policy. */
  addPage(path: string, body: string): void {
    const depth = '../'.repeat(path.split('/').length - 1);
    const text = `<!doctype html><html lang="en"><head><meta charset="utf-8">${policy()}<title>Test</title>
      <link rel="icon" href="${depth}icon.svg"></head><body>${body}</body></html>`;
    this.answers.set(path, { body: text, type: 'text/html; charset=utf-8' });
  }

  /** The paths of the site's files. */
  files(): string[] {
    return readdirSync(siteDir, { recursive: true, encoding: 'utf8' }).map((path) => path.split(sep).join('/'));
  }

  /** The path of the worker's script. */
  get worker(): string {
    return this.files().find((path) => /^assets\/worker-.*\.js$/.test(path))!;
  }

  /** The bytes of a file of the site. */
  read(path: string): Buffer {
    return readFileSync(join(siteDir, path));
  }

  /** Serves another binary of the engine, and scripts that expect it: they know each by its size and sha256. */
  replaceEngine(name: string, body: Buffer): void {
    const old = this.read(`engine/${name}`);
    const scripts = readdirSync(join(siteDir, 'assets')).filter((file) => file.endsWith('.js'));
    const told = scripts.filter((file) => this.read(`assets/${file}`).includes(sha256(old)));
    if (told.length === 0) throw new Error(`no script names ${name}`);
    for (const file of told) {
      const text = this.read(`assets/${file}`).toString();
      const renewed = text
        .replaceAll(sha256(old), sha256(body))
        .replaceAll(`bytes:${old.length},`, `bytes:${body.length},`);
      this.answers.set(`assets/${file}`, { body: renewed });
    }
    this.answers.set(`engine/${name}`, { body, type: 'application/wasm' });
  }

  /** Changes a JSON file of the site as it is served. */
  changeJson(path: string, change: (json: never) => void): Buffer {
    const json = JSON.parse(this.answers.get(path)?.body.toString() ?? this.read(path).toString()) as never;
    change(json);
    const body = Buffer.from(JSON.stringify(json));
    this.answers.set(path, { body });
    return body;
  }

  /**
   * Removes the rejection thresholds, which may reject drawn pictures: for tests of what is shown with a named class.
   */
  neverRefuse(model = 'skin-8'): void {
    this.changeJson(
      `models/${model}/manifest.json`,
      (manifest: { modalities: { rejectionThreshold: number | null }[] }) => {
        for (const modality of manifest.modalities) modality.rejectionThreshold = null;
      },
    );
  }

  /** Sends a file at so many bytes a second; 0: its headers only, and then nothing for ever. */
  slow(path: string, bytesPerSecond: number): void {
    const send: Answer['send'] = (body, response) => {
      response.flushHeaders();
      let at = 0;
      const timer = setInterval(() => {
        if (bytesPerSecond > 0) response.write(body.subarray(at, (at += bytesPerSecond)));
        if (at < body.length) return;
        clearInterval(timer);
        response.end();
      }, 1000);
      response.on('close', () => clearInterval(timer));
    };
    this.answers.set(path, { body: this.read(path), send });
  }

  /** Adds code before a script of the site. */
  before(path: string, code: string): void {
    this.answers.set(path, { body: `${code}\n${this.read(path).toString()}`, type: 'text/javascript' });
  }

  /** The same model as another version, with a network of another hash: a field without effect is added to its file. */
  renewModel(version: string): void {
    const producerVersion = Buffer.from([0x1a, version.length, ...Buffer.from(version)]);
    const body = Buffer.concat([this.read('models/skin-8/skin-8.onnx'), producerVersion]);
    this.answers.set('models/skin-8/skin-8.onnx', { body });
    this.changeJson(
      'models/skin-8/manifest.json',
      (manifest: { version: string; file: { bytes: number; sha256: string; compressed?: unknown } }) => {
        manifest.version = version;
        manifest.file.bytes = body.length;
        manifest.file.sha256 = sha256(body);
        delete manifest.file.compressed;
      },
    );
  }

  /** Serves one of the small models that `import-keras` made. */
  addImported(name: string): void {
    const folder = join(importedDir, name);
    for (const file of readdirSync(folder))
      this.answers.set(`models/${name}/${file}`, { body: readFileSync(join(folder, file)) });
  }

  /**
   * Serves a second model and a list with only it and the default: the shipped weights under another name, with one
   * category's name and the licence changed, so that its results can be told apart.
   */
  addModel(name: string): void {
    const own = (path: string) => `models/${name}/${path}`;
    const manifest = JSON.parse(this.read('models/skin-8/manifest.json').toString()) as SecondManifest;
    for (const path of [...filesIn(manifest), manifest.license.path, manifest.card]) {
      this.answers.set(own(path), { body: this.read(`models/skin-8/${path}`) });
    }
    Object.assign(manifest, {
      name,
      version: '7.0.0',
      title: 'Second model of the tests',
      license: { ...manifest.license, id: 'CC-BY-4.0', nonCommercial: false },
    });
    manifest.classes = manifest.classes.map((entry) => ({ ...entry, name: `Second ${entry.name}` }));
    this.answers.set(own('manifest.json'), { body: JSON.stringify(manifest) });
    const { version, title, license, card, file, classes } = manifest;
    this.changeJson('models/index.json', (index: { models: { default: boolean }[] }) => {
      index.models = index.models.filter((model) => model.default);
      index.models.push({
        name,
        title,
        version,
        bytes: file.bytes,
        license,
        card,
        classes: classes.length,
        default: false,
      } as never);
    });
  }

  /** Serves a list with only the default. */
  onlyDefaultModel(): void {
    this.changeJson('models/index.json', (index: { models: { default: boolean }[] }) => {
      index.models = index.models.filter((model) => model.default);
    });
  }

  /** Number of requests for matching paths. */
  count(pattern: RegExp): number {
    return this.log.filter(({ path }) => pattern.test(path)).length;
  }

  #testPicture(path: string): Answer | undefined {
    return path.startsWith('pictures/') ? { body: readFileSync(picture(path.slice('pictures/'.length))) } : undefined;
  }
}
