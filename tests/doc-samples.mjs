// The samples of README, CONTRIBUTING, docs, the training tool's README and the API's own comments, and what runs each.
// doc-samples.test.mjs turns red where nothing does.
//   node tests/doc-samples.mjs DOCUMENT PART    prints the sample with this part, for tests in other languages
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';
import { marked } from 'marked';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** What a sample in a comment begins with: it goes into the package's declarations. */
const EXAMPLE = ' * @example\n';

/** Documents whose samples people copy, from the root; sources among them. */
export const DOCUMENTS = [
  'README.md',
  'CONTRIBUTING.md',
  'tools/train/README.md',
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
  ...readdirSync(join(root, 'web/src'), { recursive: true, encoding: 'utf8' })
    .map((name) => `web/src/${name.replaceAll('\\', '/')}`)
    .filter((path) => path.endsWith('.ts') && readFileSync(join(root, path), 'utf8').includes(EXAMPLE)),
];

/** In place of a part: all samples of a document. */
export const ALL = '*';

/**
 * Who takes which samples, each by a part that no other sample of its document has. The tests ask for it by the same
 * words: `sample(DOCUMENT, PART)`.
 * @type {readonly (readonly [tests: string, document: string, ...parts: string[]])[]}
 */
export const RUN_BY = [
  ['tests/package/package.test.mjs', 'README.md', 'Classifier as InNode'],
  [
    'tests/package/package.test.mjs',
    'docs/embedding.md',
    '<p id="answer">',
    'export function Skin',
    'isCustomElement',
    '<script setup>',
    'CUSTOM_ELEMENTS_SCHEMA',
    'prebundle',
    'export async function scored',
  ],
  ['tests/web/cli-docs.test.ts', 'README.md', 'npm run classify'],
  ['tests/web/cli-docs.test.ts', 'docs/quick-start.md', 'npx dermlet classify', 'await classifier.classify'],
  ['tests/e2e/doc-samples.spec.ts', 'docs/quick-start.md', 'quick-answer'],
  ['tests/web/cli-docs.test.ts', 'docs/own-model.md', 'check-model my-model --write', 'check-model my-model --images'],
  ['tests/web/cli-docs.test.ts', 'docs/retrain.md', 'evaluate --head own.head', '--export own-model', 'trainHead('],
  ['tests/web/cli-docs.test.ts', 'docs/similar.md', 'dermlet atlas', 'openAtlas(bytes)'],
  ['tests/web/cli-docs.test.ts', 'web/src/classifier/node/classifier.ts', "classify('photo.jpg')"],
  ['tests/web/serve-docs.test.ts', 'docs/serve.md', ALL],
  ['tests/web/serve-docs.test.ts', 'web/src/handler/fetch-handler.ts', 'createFetchHandler(await'],
  ['tests/web/dicom-cli.test.ts', 'docs/dicom.md', ALL],
  ['tests/web/fhir.test.ts', 'docs/fhir.md', '--format fhir', 'toFhir(result'],
  ['tests/e2e/doc-samples.spec.ts', 'README.md', 'onProgress: (p)', 'result.lesion.perPicture', 'await listModels()'],
  ['tests/e2e/doc-samples.spec.ts', 'web/src/classifier/classifier.ts', '{ explain: true }'],
  ['tests/e2e/doc-samples.spec.ts', 'docs/beside.md', 'second.classify(photo)'],
  ['tests/e2e/doc-samples.spec.ts', 'docs/similar.md', 'openAtlas(file)'],
  [
    'tests/e2e/doc-samples.spec.ts',
    'docs/element.md',
    'model="skin-8"',
    'submit-photo="photo"',
    '"documentVersion": 1',
    '{ signal, onStage }',
    "worker-src 'self' blob:",
  ],
  ['tests/e2e/causes.spec.ts', 'docs/element.md', 'require-trusted-types-for'],
  ['tests/e2e/doc-samples.spec.ts', 'docs/frame.md', '"embedVersion": 1', 'frame-ancestors', 'await frame.collect()'],
  ['tests/e2e/doc-samples.spec.ts', 'docs/embedding.md', 'framed-answer'],
  ['tests/e2e/doc-samples.spec.ts', 'docs/hosting.md', 'Permissions-Policy: '],
  ['tests/e2e/single.spec.ts', 'docs/hosting.md', 'sha256-...'],
  ['tests/hosting.test.mjs', 'docs/hosting.md', 'gzip_static', 'aws s3 sync'],
  ['tools/train/tests/test_core_module.py', 'docs/cluster.md', 'from dermlet_core import'],
  ['tools/train/tests/test_examples.py', 'docs/cluster.md', 'PRICE_OF_A_CORE_HOUR'],
  ['tools/train/tests/test_package.py', 'tools/train/README.md', 'dermlet-train --help'],
  ['tools/train/tests/test_rashes.py', 'tools/train/README.md', 'cp SCIN/LICENSE'],
  ['tools/train/tests/test_import_keras.py', 'tools/train/README.md', 'import-keras model.keras'],
];

/** What is true of all commands of the training tool: no step, option or recipe that there is not stands in them. */
const HELD = 'tools/train/tests/test_readme.py holds its commands to the options that there are';

/**
 * What no test runs, and why not.
 * @type {readonly (readonly [why: string, document: string, ...parts: string[]])[]}
 */
export const NOT_RUN = [
  [
    '`npm test` is what runs this; `npm start` opens a browser and serves until it is stopped',
    'README.md',
    'npm start',
  ],
  ['it opens a browser, and serves until it is stopped', 'docs/quick-start.md', 'npm start'],
  ['the part `package` makes, packs and installs it, in other folders', 'docs/quick-start.md', 'npm pack'],
  ['a copy of the repository, and this very suite', 'CONTRIBUTING.md', 'git clone'],
  ['parts of this very suite, and what lays out the sources', 'CONTRIBUTING.md', 'npm run lint'],
  ['a drawing', 'docs/architecture.md', 'Classifier.classify()', 'recogniseModality()'],
  ['declarations, printed from the types by `npm run generate`: contract/generate.test.mjs', 'docs/api.md', ALL],
  ['installs for the whole Python; the part `train` builds the same module', 'docs/cluster.md', 'npm run build'],
  ['Ray, Spark and Java, hundreds of megabytes; measured by hand', 'docs/cluster.md', 'ray_archive.py'],
  ['a published release, and GitHub’s own program with an account', 'docs/supply-chain.md', 'gh attestation'],
  [
    `archives of others and days of training; the same steps on drawn pictures: test_pipeline.py. ${HELD}`,
    'tools/train/README.md',
    'average runs/*/ema.pt',
  ],
  [
    `archives of others; drawn ones in their layouts: test_prepare_importers.py. ${HELD}`,
    'tools/train/README.md',
    "--group-pattern 'patient",
  ],
  [
    `days of training; short ones, of two processes too: test_training.py. ${HELD}`,
    'tools/train/README.md',
    'torchrun',
  ],
  [
    `hours of training on photos; the same command with a small network: test_finetune.py. ${HELD}`,
    'tools/train/README.md',
    'finetune --from',
  ],
  [
    `several trainings each; a plan of short ones: test_training.py. ${HELD}`,
    'tools/train/README.md',
    'recipes/ablations.toml',
  ],
  [
    `the pictures that shipped networks were trained and measured on, not ours to pass on. ${HELD}`,
    'tools/train/README.md',
    'run/ema.pt --out look/',
    'quality --model',
    'train-locator',
    'variants --store',
    'runs --model',
  ],
  ['half an hour; each test that it chooses is one of this suite', 'docs/threat-model.md', 'npm run attack'],
];

/**
 * The samples of a document, in order: its fenced blocks, those in lists and quotations too; of a source its examples,
 * each up to the next tag or the end of its comment.
 * @param {string} document
 * @returns {{ language: string, text: string }[]}
 */
export function samplesIn(document) {
  /** @type {{ language: string, text: string }[]} */
  const samples = [];
  const content = readFileSync(join(root, document), 'utf8');
  if (document.endsWith('.ts'))
    return [...content.matchAll(/^ *\* @example\n((?: *\*(?! @|\/).*\n)+)/gm)].map(([, lines = '']) => ({
      language: 'ts',
      text: lines.replaceAll(/^ *\* ?/gm, ''),
    }));
  marked.walkTokens(marked.lexer(content), (token) => {
    if (token.type === 'code') samples.push({ language: token.lang ?? '', text: `${token.text}\n` });
  });
  return samples;
}

/**
 * The one sample of a document with this part, as it stands there.
 * @param {string} document
 * @param {string} part
 * @throws if there is none, or several
 */
export function sample(document, part) {
  const [found, ...more] = samplesIn(document).filter(({ text }) => text.includes(part));
  if (!found || more.length > 0)
    throw new Error(`${document} has ${found ? more.length + 1 : 'no'} samples with '${part}'`);
  return found.text;
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  const [, , document = '', part = ''] = argv;
  process.stdout.write(sample(document, part));
}
