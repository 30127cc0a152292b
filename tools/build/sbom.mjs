// node tools/build/sbom.mjs TARBALL: writes the release's bill of materials (CycloneDX) beside a packed npm package:
// what is in it, with hashes and licences, and what it was built with. The same input gives the same bytes.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { filesOf } from '../../contract/contract.mjs';
import { sha256 } from './hash.mjs';
import { findStb } from './stb.mjs';
import { ask, isProgram, main, root, StepError, say } from './steps.mjs';
import { emccVersion, versionIn } from './toolchain.mjs';

/** What package.mjs found in the package: the components of licences.mjs without their texts. */
export const PARTS = join('build', 'package-parts.json');

/**
 * @typedef {Omit<import('./licences.mjs').Component, 'texts'>} Part
 * @typedef {{ name: string, version: string, license: { id: string } }} Model  with what `filesOf` reads
 *
 * The parts of CycloneDX 1.5 that are written.
 * @typedef {{ alg: string, content: string }} Hash
 * @typedef {{ license: { id: string } } | { expression: string }} Licence
 * @typedef {object} Component
 * @property {string} bom-ref
 * @property {string} type
 * @property {string} name
 * @property {string} [version]
 * @property {string} [scope]  `required`: in the package; `excluded`: what it is built and tested with
 * @property {string} [purl]
 * @property {Hash[]} [hashes]
 * @property {Licence[]} [licenses]
 * @typedef {{ ref: string, dependsOn: string[] }} Dependency
 * @typedef {object} Bill
 * @property {object} metadata
 * @property {Component[]} components
 * @property {Dependency[]} dependencies
 */

/** @param {string} licence  an SPDX expression */
const licensed = (licence) => [/\s/.test(licence) ? { expression: licence } : { license: { id: licence } }];
/** @param {string} content */
const hashed = (content) => [{ alg: 'SHA-256', content }];

/**
 * @param {object} input
 * @param {Bill} input.locked  what `npm sbom` says of package-lock.json
 * @param {readonly Part[]} input.parts
 * @param {(path: string) => string} input.hashOf  a shipped file's sha256
 * @param {string | null} input.stb  the header's sha256
 * @param {readonly Model[]} input.models
 * @param {{ name: string, version: string, sha256: string }} input.tarball
 * @param {string} input.time  of the release, ISO 8601
 * @param {readonly { name: string, version: string }[]} input.tools
 */
export function billOfMaterials({ locked, parts, hashOf, stb, models, tarball, time, tools }) {
  const { name, version } = tarball;
  const own = `${name}@${version}`;
  const shipped = new Set(parts.filter(({ npm }) => npm).map((part) => `${part.name}@${part.version}`));
  const packages = locked.components.map((component) => ({
    ...component,
    scope: shipped.has(`${component.name}@${component.version}`) ? 'required' : 'excluded',
  }));
  const known = new Set(packages.map((component) => `${component.name}@${component.version}`));
  /** @param {Part} part */
  const refOf = (part) => [part.name, part.version].filter(Boolean).join('@');
  // Code compiled into binaries, and helpers that bundlers bring in themselves.
  const others = parts
    .filter((part) => !known.has(refOf(part)))
    .map((part) => ({
      'bom-ref': refOf(part),
      type: 'library',
      name: part.name,
      ...(part.version ? { version: part.version } : {}),
      scope: 'required',
      ...(part.npm ? { purl: `pkg:npm/${part.name.replace('@', '%40')}@${part.version}` } : {}),
      ...(part.name === 'stb_image' && stb ? { hashes: hashed(stb) } : {}),
      licenses: licensed(part.licence),
    }));
  const networks = models.flatMap((model) =>
    filesOf(/** @type {any} */ (model))
      .filter(({ path }) => path.endsWith('.onnx'))
      .map(({ path, sha256: content }) => ({
        'bom-ref': `models/${model.name}/${path}`,
        type: 'machine-learning-model',
        name: `${model.name}/${path}`,
        version: model.version,
        scope: 'required',
        hashes: hashed(content),
        licenses: licensed(model.license.id),
      })),
  );
  const inNetworks = new Set(networks.map((network) => network['bom-ref']));
  const paths = [...new Set(parts.flatMap(({ files }) => files))].filter((path) => !inNetworks.has(path)).sort();
  const files = paths.map((path) => ({
    'bom-ref': `dist/${path}`,
    type: 'file',
    name: `dist/${path}`,
    scope: 'required',
    hashes: hashed(hashOf(path)),
  }));
  /** @param {string} path */
  const holds = (path) => parts.filter((part) => part.files.includes(path)).map(refOf);
  const dependsOn = [...shipped, ...others.map((part) => part['bom-ref'])].sort();
  return {
    $schema: 'http://cyclonedx.org/schema/bom-1.5.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.5',
    version: 1,
    metadata: {
      timestamp: time,
      tools,
      component: {
        'bom-ref': own,
        type: 'library',
        name,
        version,
        purl: `pkg:npm/${own}`,
        hashes: hashed(tarball.sha256),
        licenses: licensed('MIT'),
      },
    },
    components: [...others, ...files, ...networks, ...packages],
    dependencies: [
      {
        ref: own,
        dependsOn: [...new Set([...dependsOn, ...paths.map((path) => `dist/${path}`), ...inNetworks])],
      },
      ...paths.map((path) => ({ ref: `dist/${path}`, dependsOn: holds(path) })),
      ...[...inNetworks].map((path) => ({ ref: path, dependsOn: holds(path) })),
      ...locked.dependencies.filter(({ ref }) => ref !== own),
    ],
  };
}

/**
 * What npm says of package-lock.json.
 * @returns {Bill}
 */
export function lockedPackages() {
  const args = ['sbom', '--sbom-format', 'cyclonedx', '--package-lock-only', '--offline'];
  // What npm warns of is on stderr.
  const { status, stdout, stderr } = spawnSync('npm', args, { cwd: root, encoding: 'utf8', maxBuffer: 1 << 26 });
  if (status !== 0) throw new StepError(`npm sbom ended with ${status}: ${stderr}`);
  return JSON.parse(stdout);
}

/**
 * Writes the bill of a tarball that was packed from build/package. Returns its path.
 * @param {string} tarball
 */
export function writeBill(tarball) {
  /** @param {string} path */
  const json = (path) => JSON.parse(readFileSync(join(root, path), 'utf8'));
  const time = ask('git', ['log', '-1', '--format=%cI'])?.trim();
  if (!time) throw new StepError('A bill of materials is dated by its commit: git log did not answer.');
  const dist = join(root, 'build', 'package', 'dist');
  const stb = findStb();
  const { name, version } = json('build/package/package.json');
  const bill = billOfMaterials({
    locked: lockedPackages(),
    parts: json(PARTS),
    hashOf: (path) => sha256(readFileSync(join(dist, path))),
    stb: stb && sha256(readFileSync(join(stb, 'stb_image.h'))),
    models: json('build/package/dist/models/index.json').models.map((/** @type {{ name: string }} */ model) =>
      json(`models/${model.name}/manifest.json`),
    ),
    tarball: { name, version, sha256: sha256(readFileSync(tarball)) },
    time,
    tools: [
      { name: 'Emscripten', version: versionIn(emccVersion())?.join('.') ?? '' },
      { name: 'Node.js', version: process.versions.node },
    ],
  });
  const path = tarball.replace(/\.tgz$/, '.cdx.json');
  if (path === tarball) throw new StepError(`${tarball} is not a packed package: its name does not end in .tgz.`);
  writeFileSync(path, `${JSON.stringify(bill, null, 2)}\n`);
  return path;
}

if (isProgram(import.meta.url)) {
  await main(async () => {
    const [tarball, ...rest] = process.argv.slice(2);
    if (tarball === undefined || rest.length > 0) throw new StepError('Use: node tools/build/sbom.mjs TARBALL');
    say(`The bill of materials is in ${writeBill(tarball)}`);
  });
}
