// A static file server for the built site: this machine only, no cache, an optional sub-path. Also what the end-to-end
// tests serve from.
import { createReadStream } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

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

function typeOf(path) {
  const extension = extname(path).toLowerCase();
  return TYPES[extension] ?? (extension === '' ? 'text/plain; charset=utf-8' : 'application/octet-stream');
}

/** The path inside the site that an address asks for, or null when it is not under `base` or not a path at all. */
function pathOf(url, base) {
  try {
    const path = decodeURIComponent(url.split(/[?#]/, 1)[0]);
    if (!path.startsWith(base) || path.includes('\0')) return null;
    return path.slice(base.length);
  } catch {
    return null;
  }
}

/**
 * The file that answers a path: { file, stat }, { folder: true } for a folder without its slash, or null. Never outside
 * `root`.
 */
async function find(root, path) {
  const wanted = resolve(root, path === '' || path.endsWith('/') ? `${path}index.html` : path);
  if (!wanted.startsWith(root + sep)) return null;
  try {
    const file = await realpath(wanted);
    if (!file.startsWith(root + sep)) return null;
    const info = await stat(file);
    if (info.isDirectory()) return { folder: true };
    return info.isFile() ? { file, info } : null;
  } catch {
    return null;
  }
}

/**
 * Serves the folder `root`.
 *   host, port  where to listen; a port that is taken is passed over for the next, unless `strictPort`; 0 takes any
 *   free one
 *   base        sub-path that the site lies under, with slashes at both ends
 *   headers     added to every answer
 *   onRequest   told of every request: { method, path, status }; path is relative to base, or the whole address outside
 *   of it
 *   override    (path) => undefined or { status?, type?, body, headers? }: answers in place of the file
 * Resolves to { url, port, close() }.
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

  async function answer(request, response) {
    const path = pathOf(request.url, base);
    const send = (status, fields, body) => {
      onRequest?.({ method: request.method, path: path ?? request.url, status });
      response.writeHead(status, {
        'Cache-Control': 'no-cache',
        'X-Content-Type-Options': 'nosniff',
        ...headers,
        ...fields,
      });
      if (request.method === 'HEAD' || body === undefined) response.end();
      else if (typeof body.pipe === 'function') body.on('error', () => response.destroy()).pipe(response);
      else response.end(body);
    };
    const text = (status, words) => send(status, { 'Content-Type': TYPES['.txt'] }, `${words}\n`);
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      request.resume();
      return send(405, { Allow: 'GET, HEAD' });
    }
    if (path === null)
      return request.url === base.slice(0, -1) ? send(301, { Location: base }) : text(404, 'Not found');
    const instead = override?.(path);
    if (instead !== undefined) {
      const body = Buffer.from(instead.body ?? '');
      return send(
        instead.status ?? 200,
        { 'Content-Type': instead.type ?? typeOf(path), 'Content-Length': body.length, ...instead.headers },
        body,
      );
    }
    const found = await find(folder, path);
    if (found === null) return text(404, 'Not found');
    if (found.folder) return send(301, { Location: `${base}${encodeURI(path)}/` });
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
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}

async function listen(server, host, first, strict) {
  const last = strict || first === 0 ? first : first + 50;
  for (let port = first; ; port += 1) {
    try {
      await new Promise((done, failed) => {
        server.once('error', failed);
        server.listen(port, host, () => {
          server.off('error', failed);
          done();
        });
      });
      return server.address().port;
    } catch (error) {
      if (error.code !== 'EADDRINUSE' || port >= last) throw error;
    }
  }
}

/** The folder of the built site. */
export const siteDir = join(fileURLToPath(import.meta.url), '..', '..', '..', 'dist');
