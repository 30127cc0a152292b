// A static file server for the built site: this machine only, no cache, an optional sub-path. The end-to-end tests use
// it too.
import { createReadStream } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { codeOf } from './steps.mjs';

/**
 * @typedef {object} ServedRequest
 * @property {string | undefined} method
 * @property {string} path  relative to the base, without the query; the whole address if outside the base
 * @property {number} status
 *
 * @typedef {object} Answer
 * @property {number} [status]
 * @property {string} [type]
 * @property {string | Uint8Array} body
 * @property {Record<string, string>} [headers]
 * @property {(body: Buffer, response: import('node:http').ServerResponse) => void} [send]  sends the body, in its time
 *
 * @typedef {object} ServeOptions
 * @property {string} root  the folder
 * @property {string} [host]  where to listen
 * @property {number} [port]  if in use, the next free one is taken, unless `strictPort`; 0: any free one
 * @property {boolean} [strictPort]
 * @property {string} [base]  the site's sub-path, with a slash at both ends
 * @property {Record<string, string>} [headers]  added to every response
 * @property {(request: ServedRequest) => void} [onRequest]  called for every request
 * @property {(path: string) => Answer | undefined} [override]  responds instead of the file
 */

/** @type {Record<string, string>} */
const TYPES = {
  '.css': 'text/css; charset=utf-8',
  '.csv': 'text/csv; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.jpeg': 'image/jpeg',
  '.jpg': 'image/jpeg',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.map': 'application/json; charset=utf-8',
  '.md': 'text/markdown; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.onnx': 'application/octet-stream',
  '.pdf': 'application/pdf',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.wasm': 'application/wasm',
  '.webmanifest': 'application/manifest+json; charset=utf-8',
  '.webp': 'image/webp',
  '.woff2': 'font/woff2',
};

/** @param {string} path */
export function typeOf(path) {
  const extension = extname(path).toLowerCase();
  return TYPES[extension] ?? (extension === '' ? 'text/plain; charset=utf-8' : 'application/octet-stream');
}

/**
 * The path within the site that a URL asks for; null if it is not under `base` or not a valid path.
 * @param {string} url
 * @param {string} base
 */
function pathOf(url, base) {
  try {
    const path = decodeURIComponent(url.replace(/[?#].*$/s, ''));
    if (!path.startsWith(base) || path.includes('\0')) return null;
    return path.slice(base.length);
  } catch {
    return null;
  }
}

/**
 * The file for a path, 'folder' for a folder without its trailing slash, or null. Never outside `root`.
 * @param {string} root
 * @param {string} path
 */
async function find(root, path) {
  const wanted = resolve(root, path === '' || path.endsWith('/') ? `${path}index.html` : path);
  if (!wanted.startsWith(root + sep)) return null;
  try {
    const file = await realpath(wanted);
    if (!file.startsWith(root + sep)) return null;
    const info = await stat(file);
    if (info.isDirectory()) return 'folder';
    return info.isFile() ? { file, info } : null;
  } catch {
    return null;
  }
}

/** Headers of a page that has shared memory, and with it threads. */
export const ISOLATED = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };

/**
 * @typedef {{ url: string, port: number, close: () => Promise<void> }} Served
 */

/**
 * Serves the folder `root`.
 * @param {ServeOptions} options
 * @returns {Promise<Served>}
 */
export async function serve({
  root,
  host = '127.0.0.1',
  port = 8080,
  strictPort = false,
  base = '/',
  headers = {},
  onRequest,
  override,
}) {
  const folder = await realpath(root);

  /**
   * @param {import('node:http').IncomingMessage} request
   * @param {import('node:http').ServerResponse} response
   * @returns {Promise<void>}
   */
  async function answer(request, response) {
    const { url = '' } = request;
    const path = pathOf(url, base);
    /**
     * @param {number} status
     * @param {import('node:http').OutgoingHttpHeaders} fields
     * @param {Buffer | string | import('node:fs').ReadStream} [body]
     * @param {() => void} [sent]  sends the body in another way
     */
    const send = (status, fields, body, sent) => {
      onRequest?.({ method: request.method, path: path ?? url, status });
      response.writeHead(status, {
        'Cache-Control': 'no-cache',
        'X-Content-Type-Options': 'nosniff',
        ...headers,
        ...fields,
      });
      if (request.method === 'HEAD' || body === undefined) response.end();
      else if (sent) sent();
      else if (typeof body === 'object' && 'pipe' in body) body.on('error', () => response.destroy()).pipe(response);
      else response.end(body);
    };
    /**
     * @param {number} status
     * @param {string} words
     */
    const text = (status, words) => send(status, { 'Content-Type': TYPES['.txt'] }, `${words}\n`);
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      request.resume();
      return send(405, { Allow: 'GET, HEAD' });
    }
    if (path === null) return url === base.slice(0, -1) ? send(301, { Location: base }) : text(404, 'Not found');
    const instead = override?.(path);
    if (instead !== undefined) {
      const body = Buffer.from(instead.body ?? '');
      return send(
        instead.status ?? 200,
        { 'Content-Type': instead.type ?? typeOf(path), 'Content-Length': body.length, ...instead.headers },
        body,
        instead.send && (() => instead.send?.(body, response)),
      );
    }
    const found = await find(folder, path);
    if (found === null) return text(404, 'Not found');
    if (found === 'folder') return send(301, { Location: `${base}${encodeURI(path)}/` });
    const { file, info } = found;
    const tag = `"${info.size.toString(16)}-${Math.round(info.mtimeMs).toString(16)}"`;
    if (request.headers['if-none-match'] === tag) return send(304, { ETag: tag });
    return send(
      200,
      { 'Content-Type': typeOf(file), 'Content-Length': info.size, ETag: tag },
      request.method === 'HEAD' ? undefined : createReadStream(file),
    );
  }

  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  const taken = await listen(server, host, port, strictPort);
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${taken}${base}`,
    port: taken,
    /** @returns {Promise<void>} */
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}

/**
 * @param {import('node:http').Server} server
 * @param {string} host
 * @param {number} first
 * @param {boolean} strict
 */
async function listen(server, host, first, strict) {
  const last = strict || first === 0 ? first : first + 50;
  for (let port = first; ; port += 1) {
    try {
      await /** @type {Promise<void>} */ (
        new Promise((done, failed) => {
          server.once('error', failed);
          server.listen(port, host, () => {
            server.off('error', failed);
            done();
          });
        })
      );
      return /** @type {import('node:net').AddressInfo} */ (server.address()).port;
    } catch (error) {
      if (codeOf(error) !== 'EADDRINUSE' || port >= last) throw error;
    }
  }
}

/** The folder of the built site. */
export const siteDir = join(fileURLToPath(import.meta.url), '..', '..', '..', 'dist');
