/**
 * A static file server behind a slow line: all connections share its bytes a second, each answer waits for the latency.
 * It counts what was asked for and when it was sent.
 */
import { readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, resolve, sep } from 'node:path';
import { gzipSync } from 'node:zlib';
import { typeOf } from '../../tools/build/serve.mjs';

export interface Sent {
  /** Relative to the site, without the query. */
  path: string;
  status: number;
  /** Of the body, as sent. */
  bytes: number;
  /** Milliseconds, by `performance.now()`. */
  asked: number;
  ended: number;
}

export interface SlowHost {
  url: string;
  sent: Sent[];
  close(): Promise<void>;
}

export interface Line {
  bitsPerSecond: number;
  /** Milliseconds before the first byte of each answer. */
  latency: number;
}

/** Sent at once; small enough that connections take turns. */
const PIECE = 16 << 10;
/** Milliseconds of line time made up for when a busy machine wakes this up late. */
const CATCH_UP = 250;
/** What common hosts compress by default. */
const TEXT = new Set(['.css', '.html', '.js', '.json', '.md', '.mjs', '.svg', '.wasm', '.webmanifest']);

const pause = (milliseconds: number) => new Promise((done) => setTimeout(done, milliseconds));

export async function slowHost(root: string, line: Line, gzip: boolean): Promise<SlowHost> {
  const sent: Sent[] = [];
  const packed = new Map<string, Buffer>();
  /** When the line will have sent what it was given. */
  let free = 0;

  const read = (file: string): { body: Buffer; encoded: boolean } => {
    if (!gzip || !TEXT.has(extname(file))) return { body: readFileSync(file), encoded: false };
    const body = packed.get(file) ?? gzipSync(readFileSync(file));
    packed.set(file, body);
    return { body, encoded: true };
  };

  const server = createServer(async (request, response) => {
    const path = decodeURIComponent((request.url ?? '/').replace(/[?#].*$/s, '')).slice(1);
    const record: Sent = { path: path || 'index.html', status: 200, bytes: 0, asked: performance.now(), ended: 0 };
    sent.push(record);
    const file = resolve(root, record.path);
    await pause(line.latency);
    const info = file.startsWith(root + sep) ? statSync(file, { throwIfNoEntry: false }) : undefined;
    if (!info?.isFile()) {
      record.status = 404;
      response.writeHead(404).end();
    } else {
      const tag = `"${info.size}-${info.mtimeMs}"`;
      const headers = { 'Cache-Control': 'max-age=600', ETag: tag, 'Content-Type': typeOf(file) };
      if (request.headers['if-none-match'] === tag) {
        record.status = 304;
        response.writeHead(304, headers).end();
      } else {
        const { body, encoded } = read(file);
        response.writeHead(200, {
          ...headers,
          'Content-Length': body.length,
          ...(encoded ? { 'Content-Encoding': 'gzip' } : {}),
        });
        for (let at = 0; at < body.length && !response.destroyed; at += PIECE) {
          const piece = body.subarray(at, at + PIECE);
          free = Math.max(free, performance.now() - CATCH_UP) + (piece.length * 8000) / line.bitsPerSecond;
          await pause(free - performance.now());
          response.write(piece);
          record.bytes += piece.length;
        }
        response.end();
      }
    }
    record.ended = performance.now();
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    sent,
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}

/** What a file is for, for the sums. */
export function kindOf(path: string): string {
  if (/ort-.*\.wasm/.test(path)) return 'ONNX Runtime';
  if (/dermlet\.wasm/.test(path)) return 'core';
  if (/libheif\.wasm/.test(path)) return 'libheif';
  if (/locator\.onnx/.test(path)) return 'locator';
  if (/\.onnx/.test(path)) return 'network';
  if (/^models\//.test(path)) return 'other files of the model';
  if (/\.m?js$/.test(path)) return 'scripts';
  return 'page';
}

export const siteFolder = (root: string): string => process.env.DERMLET_SITE ?? join(root, 'dist');
