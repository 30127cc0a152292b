// `aws s3` as far as docs/hosting.md uses it, on the folder `store` in place of a bucket, with a line of `log` for each
// object that is put: its name and headers. Types are Python's guesses, as in aws. What a store does with them is not
// tested.
import { appendFileSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { parseArgs } from 'node:util';

/** @type {Record<string, string>} */
const GUESSES = {
  '.css': 'text/css',
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.json': 'application/json',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain',
  '.wasm': 'application/wasm',
  '.webmanifest': 'application/manifest+json',
};

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    'cache-control': { type: 'string' },
    'content-encoding': { type: 'string' },
    'content-type': { type: 'string' },
    delete: { type: 'boolean' },
    exclude: { type: 'string', multiple: true, default: [] },
    recursive: { type: 'boolean' },
  },
});
const [service, action, from = '', to = ''] = positionals;
const key = /^s3:\/\/BUCKET\/(.*)$/.exec(to)?.[1];
if (service !== 's3' || key === undefined) throw new Error(`not known: ${positionals.join(' ')}`);

/**
 * @param {string} name
 * @param {Uint8Array} bytes
 */
function put(name, bytes) {
  mkdirSync(dirname(join('store', name)), { recursive: true });
  writeFileSync(join('store', name), bytes);
  const type = values['content-type'] ?? GUESSES[extname(name)] ?? 'binary/octet-stream';
  appendFileSync('log', `${JSON.stringify([name, type, values['cache-control'], values['content-encoding']])}\n`);
}

/**
 * A `*` stands for any characters, `/` too.
 * @param {string} name
 */
const isExcluded = (name) =>
  values.exclude.some((pattern) => {
    const parts = pattern.split('*').map((part) => part.replace(/[.]/g, '\\.'));
    return new RegExp(`^${parts.join('.*')}$`).test(name);
  });

if (action === 'cp' && from === '-') put(key, readFileSync(0));
else if (action === 'cp' && !values.recursive) put(key, readFileSync(from));
else if (action === 'cp' || action === 'sync') {
  const names = readdirSync(from, { recursive: true, encoding: 'utf8' });
  for (const name of names.filter((path) => statSync(join(from, path)).isFile() && !isExcluded(path)))
    put(join(key, name), readFileSync(join(from, name)));
} else throw new Error(`not known: ${action}`);
