/** A portal of others: an origin of its own with pages, the site under `/dermlet/`, and what was sent to it. */

import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { typeOf } from '../../tools/build/serve.mjs';
import { siteDir } from './site.js';

export interface Sent {
  readonly path: string;
  readonly type: string;
  readonly body: Buffer;
}

/** As hosting.md has it, with forms. */
const POLICY =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self' blob:; connect-src 'self'; " +
  "style-src 'self'; img-src 'self' blob: data:; frame-src http:; base-uri 'none'; form-action http:";

export class Portal {
  /** Path -> what is in the body, or a script if it ends in `.js`. */
  readonly pages = new Map<string, string>();
  /** Path -> bytes of another file. */
  readonly files = new Map<string, Buffer>();
  /** Of every answer; null: none is sent. */
  policy: string | null = POLICY;
  readonly sent: Sent[] = [];
  #server: Server | null = null;

  get url(): string {
    return `http://127.0.0.1:${(this.#server!.address() as AddressInfo).port}/`;
  }

  get origin(): string {
    return new URL(this.url).origin;
  }

  async open(): Promise<void> {
    this.#server = createServer((request, response) => void this.#answer(request, response));
    await new Promise<void>((done) => this.#server!.listen(0, '127.0.0.1', done));
  }

  async close(): Promise<void> {
    this.#server?.closeAllConnections();
    await new Promise((done) => this.#server?.close(done));
  }

  /** What a form sent: its fields. */
  fields({ body, type }: Sent): Promise<FormData> {
    return new Response(new Uint8Array(body), { headers: { 'Content-Type': type } }).formData();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = new URL(request.url ?? '/', 'http://portal').pathname.slice(1);
    const send = (type: string, body: string | Buffer, status = 200) =>
      response
        .writeHead(status, {
          'Content-Type': type,
          ...(this.policy === null ? {} : { 'Content-Security-Policy': this.policy }),
        })
        .end(body);
    if (request.method === 'POST') {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      this.sent.push({ path, type: request.headers['content-type'] ?? '', body: Buffer.concat(chunks) });
      return void send('text/html', '<!doctype html><title>Received</title><h1>Received</h1>');
    }
    const page = this.pages.get(path);
    if (page !== undefined && path.endsWith('.js')) return void send('text/javascript', page);
    if (page !== undefined)
      return void send(
        'text/html; charset=utf-8',
        `<!doctype html><html lang="en"><meta charset="utf-8"><title>Portal</title>
         <link rel="icon" href="/dermlet/icon.svg"><body>${page}</body></html>`,
      );
    const bytes = this.files.get(path);
    if (bytes !== undefined) return void send(typeOf(path), bytes);
    try {
      if (!path.startsWith('dermlet/')) throw new Error('none of the portal');
      const file = path.slice('dermlet/'.length);
      send(typeOf(file), await readFile(join(siteDir, file)));
    } catch {
      send('text/plain', 'Not found', 404);
    }
  }
}
