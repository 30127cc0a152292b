/** Holds answers to docs/openapi.json: what is answered must be documented there, and all that is must be answered. */
import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { root } from './support.js';

interface Documented {
  content?: Record<string, { schema: Schema }>;
  headers?: Record<string, { required?: boolean }>;
}
type Schema = { $ref?: string; oneOf?: Schema[]; properties?: { code?: { enum?: string[]; const?: string } } };
type Operation = { responses: Record<string, Documented> };
type Path = Record<string, Operation> & { 'x-other-methods': Record<string, Documented> };

export const openapi = JSON.parse(readFileSync(`${root}docs/openapi.json`, 'utf8')) as {
  openapi: string;
  paths: Record<string, Path>;
  'x-other-paths': Record<string, Documented>;
};

const ajv = new Ajv2020({ strict: false, allErrors: true });
ajv.addSchema(openapi, 'openapi');

export interface Got {
  status: number;
  headers: Headers;
  text: string;
}

/** Each kind of answer: `POST /predict 400 MALFORMED_BODY`; `-` for one without a code. */
export function documented(): string[] {
  const kinds = (name: string, responses: Record<string, Documented>) =>
    Object.entries(responses).flatMap(([status, { content }]) => {
      const schema = content?.['application/json']?.schema;
      const parts = schema?.oneOf ?? (schema ? [schema] : []);
      const codes = parts.map(({ properties }) => properties?.code?.enum ?? [properties?.code?.const ?? '-']);
      return (codes.length > 0 ? [...new Set(codes.flat())] : ['-']).map((code) => `${name} ${status} ${code}`);
    });
  return [
    ...Object.entries(openapi.paths).flatMap(([path, { 'x-other-methods': others, ...operations }]) => [
      ...Object.entries(operations).flatMap(([method, { responses }]) =>
        // A HEAD is its GET without the body that would say more.
        method === 'head' ? [] : kinds(`${method.toUpperCase()} ${path}`, responses),
      ),
      ...kinds(`other ${path}`, others),
    ]),
    ...kinds('other other', openapi['x-other-paths']),
  ].sort();
}

/** The kind of an answer, as `documented` names it. @throws if it is not documented, or not like that */
export function kindOf(method: string, address: string, { status, headers, text }: Got): string {
  const [path = ''] = address.split('?');
  const own = Object.hasOwn(openapi.paths, path) ? openapi.paths[path] : undefined;
  const operation = own && Object.hasOwn(own, method.toLowerCase()) ? own[method.toLowerCase()] : undefined;
  const others = own ? own['x-other-methods'] : openapi['x-other-paths'];
  const isOther = operation === undefined || (method === 'OPTIONS' && status === 405);
  const name = own ? `${isOther ? 'other' : method} ${path}` : 'other other';
  const said = (isOther ? others : operation.responses)[String(status)];
  if (!said) throw new Error(`${name} ${status} is not documented: ${text}`);
  for (const [header, { required }] of Object.entries(said.headers ?? {}))
    if (required && headers.get(header) === null) throw new Error(`${name} ${status} lacks ${header}`);
  if (!said.content || method === 'HEAD') {
    if (text !== '') throw new Error(`${name} ${status} has a body`);
    return `${name} ${status} -`;
  }
  if (headers.get('content-type') !== 'application/json') throw new Error(`${name} ${status} is not JSON`);
  const body = JSON.parse(text) as { code?: string };
  // By its place in the document, so that references are followed from there.
  const part = (key: string) => key.replaceAll('~', '~0').replaceAll('/', '~1');
  const where = own
    ? ['paths', path, ...(isOther ? ['x-other-methods'] : [method.toLowerCase(), 'responses'])]
    : ['x-other-paths'];
  const pointer = [...where, String(status), 'content', 'application/json', 'schema']
    .map((key) => encodeURIComponent(part(key)))
    .join('/');
  const validate = ajv.getSchema(`openapi#/${pointer}`);
  if (!validate) throw new Error(`no schema at ${pointer}`);
  if (!validate(body)) throw new Error(`${name} ${status}: ${ajv.errorsText(validate.errors)}: ${text}`);
  return `${name} ${status} ${body.code ?? '-'}`;
}

/** What only the page's service worker answers; tests/e2e/retired.spec.ts holds it to the document. */
export const ofPage = (kind: string): boolean => /(NO_PAGE|PAGE_FAILED)$/.test(kind);
