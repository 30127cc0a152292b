/**
 * What the measured figures of the shipped models (models/<name>/figures) say of their weaknesses, as the few numbers
 * that the trust panel names: `npm run generate` writes them to web/src/element/trust/measured.ts, nobody types them.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './steps.mjs';

export const MEASURED = 'web/src/element/trust/measured.ts';
/** Fewer lesions or patients say nothing, as in the card. */
const ENOUGH = 20;
/** From the darkest to the lightest; Fitzpatrick's scale and MILK10k's run in opposite directions. */
const SCALES = [
  { name: 'Fitzpatrick', prefix: 'fitzpatrick:', tones: [6, 5, 4, 3, 2, 1], dark: [5, 6] },
  { name: 'MILK10k', prefix: 'milk:', tones: [0, 1, 2, 3, 4, 5], dark: [0, 1] },
];

/**
 * @typedef {{ groups: number, figures?: { balancedAccuracy?: number } }} Part
 *   `groups`: lesions or patients; `figures`: where there are enough
 * @typedef {{ pictures: number, low: number, moderate: number, high: number }} Tiers
 * @typedef {object} Evaluation
 * @property {{ name: string, version: string, sha256: string }} model
 * @property {{ tiers: { malignant: Tiers } }} overall
 * @property {Record<string, { groups: number, balancedAccuracy: number }>} byModality
 * @property {Record<string, Record<string, Part>>} bySkinTone
 * @property {{ byLabel: Record<string, { pictures: number, shareRefused: number }> }} refusal
 * @property {{ byModality: Record<string, { pictures: number, framings: Record<string, number> }> }} looking
 *
 * @typedef {object} Quality
 * @property {{ pictures: number }} options
 * @property {{ check: string, modality: string, steps: number[], lost: number[], harmful: number[] }[]} findings
 */

/**
 * The set of each scale that has most lesions: others may show the same lesions in another way.
 * @param {Evaluation['bySkinTone']} bySkinTone
 */
function tonesOf(bySkinTone) {
  return SCALES.flatMap((scale) => {
    const sets = Object.values(bySkinTone)
      .map((set) => scale.tones.map((tone) => ({ tone, part: set[`${scale.prefix}${tone}`] })))
      .map((set) => set.filter(({ part }) => part !== undefined))
      .map((set) => ({ set, lesions: set.reduce((sum, { part }) => sum + (part?.groups ?? 0), 0) }))
      .sort((a, b) => b.lesions - a.lesions);
    const [{ set, lesions } = { set: [], lesions: 0 }] = sets;
    if (lesions === 0) return [];
    const dark = set.reduce((sum, { tone, part }) => sum + (scale.dark.includes(tone) ? (part?.groups ?? 0) : 0), 0);
    const measured = set.flatMap(({ tone, part }) =>
      part?.figures?.balancedAccuracy !== undefined && part.groups >= ENOUGH
        ? [{ tone: `${scale.name} ${tone}`, lesions: part.groups, accuracy: part.figures.balancedAccuracy }]
        : [],
    );
    return [{ lesions, dark, measured }];
  });
}

/**
 * @param {Evaluation} evaluation
 * @param {Quality | null} quality
 * @returns {import('../../web/src/element/trust/weaknesses.js').Measured}
 */
export function weaknessesOf(evaluation, quality) {
  const { model, overall, byModality, refusal, looking } = evaluation;
  const scales = tonesOf(evaluation.bySkinTone);
  const dark = scales.reduce((sum, scale) => sum + scale.dark, 0);
  const widest = scales.map(({ measured }) => measured).sort((a, b) => b.length - a.length)[0] ?? [];
  const [photo, dermoscopy] = [byModality.photo, byModality.dermoscopy];
  const { malignant } = overall.tiers;
  const other = refusal.byLabel.other;
  const framed = looking.byModality.photo;
  const small = quality?.findings.find(({ check, modality }) => check === 'too_small' && modality === 'photo');
  const from = small?.harmful[0];
  /** @param {{ groups: number, balancedAccuracy: number }} of */
  const scored = ({ groups, balancedAccuracy }) => ({ lesions: groups, accuracy: balancedAccuracy });
  return {
    name: model.name,
    version: model.version,
    skin: {
      lesions: scales.reduce((sum, { lesions }) => sum + lesions, 0),
      dark,
      few: dark < ENOUGH,
      ...(widest.length > 1 ? { darkest: widest[0], lightest: widest.at(-1) } : {}),
    },
    ...(photo && dermoscopy ? { modalities: { photo: scored(photo), dermoscopy: scored(dermoscopy) } } : {}),
    malignant: { pictures: malignant.pictures, low: malignant.low, moderate: malignant.moderate },
    ...(small && from !== undefined && quality
      ? { small: { side: from, lost: small.lost[small.steps.indexOf(from)] ?? 0, pictures: quality.options.pictures } }
      : {}),
    ...(framed
      ? {
          unframed: {
            pictures: framed.pictures,
            share: ((framed.framings.none ?? 0) + (framed.framings.several ?? 0)) / framed.pictures,
          },
        }
      : {}),
    ...(other ? { others: { pictures: other.pictures, unnamed: other.shareRefused } } : {}),
  };
}

/** @param {string} path */
const read = (path) => (existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : null);

/** By the sha256 of the network that was measured; of another one of the same name nothing is known. */
export function allWeaknesses(models = join(root, 'models')) {
  const found = readdirSync(models, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name }) => {
      const figures = join(models, name, 'figures');
      /** @type {Evaluation | null} */
      const evaluation = read(join(figures, 'evaluation.json'));
      if (!evaluation) return [];
      /** @type {Quality | null} */
      const quality = read(join(figures, 'quality.json'));
      const same = quality && read(join(figures, 'quality.json')).model.sha256 === evaluation.model.sha256;
      return [[evaluation.model.sha256, weaknessesOf(evaluation, same ? quality : null)]];
    });
  return Object.fromEntries(found);
}

export function measuredScript() {
  return `/** Generated by \`npm run generate\` from models/<name>/figures; do not edit. */
import type { Measured } from './weaknesses.js';

/** By the sha256 of the network. */
export const MEASURED: Readonly<Record<string, Measured>> = ${JSON.stringify(allWeaknesses(), null, 2)};
`;
}
