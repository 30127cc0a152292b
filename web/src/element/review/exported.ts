/** All results as a table (CSV) and as JSON. No pictures, and nothing of a file but its name. */
import { stringify } from 'csv-stringify/browser/esm/sync';
import { withoutImages } from '../../classifier/index.js';
import { mayName } from '../../messages/index.js';
import { type Done, type Photo, tierOf } from '../session.js';
import type { Reading, Readings } from './readings.js';

const COLUMNS = [
  'name',
  'state',
  'error',
  'outcome',
  'tier',
  'network_tier',
  'set',
  'first_category',
  'first_score',
  'ranking',
  'modality',
  'thorough',
  'together_with',
  'model',
  'model_version',
  'model_sha256',
  'reader_label',
  'reader_first',
] as const;

type Row = Partial<Record<(typeof COLUMNS)[number], string>>;

type Exported = Pick<Photo, 'id' | 'name' | 'state' | 'said'>;

function rowOf({ id, name, state, said }: Exported, readings: Readings): Row {
  const reading = readings.get(id);
  const reader = reading ? { reader_label: reading.label, reader_first: String(reading.first) } : {};
  const row = { name, state: state.kind, ...reader };
  if (state.kind === 'failed') return { ...row, error: state.error.code };
  if (state.kind !== 'done') return row;
  const { result } = state;
  const { model, ranking } = result;
  // No category stands as an answer where the network has none; the scores are all there.
  const first = mayName(result) ? ranking[0] : undefined;
  return {
    ...row,
    outcome: result.outcome,
    // As it is shown: raised where a person's answers ask for more.
    tier: tierOf(result, said),
    network_tier: result.tier,
    set: mayName(result) ? result.predictionSet.join(' ') : '',
    first_category: first?.id ?? '',
    first_score: first ? first.probability.toFixed(6) : '',
    ranking: ranking.map((entry) => `${entry.id}=${entry.probability.toFixed(6)}`).join(' '),
    modality: result.modality,
    thorough: String(result.testTimeAugmentation),
    together_with: togetherOf(state).togetherWith ?? '',
    model: model.name,
    model_version: model.version,
    model_sha256: model.sha256,
  };
}

/** The name of the photo that it was scored together with. */
const togetherOf = ({ seen }: Done) => (seen.closer?.other ? { togetherWith: seen.closer.other.name } : {});

const readerOf = (reading: Reading | undefined) =>
  reading ? { reader: { label: reading.label, first: reading.first } } : {};

/** UTF-8 with a mark, as spreadsheets expect it; cells that a spreadsheet would run as a formula begin with `'`. */
export function csvOf(photos: readonly Exported[], readings: Readings): string {
  return stringify(
    photos.map((photo) => rowOf(photo, readings)),
    { header: true, columns: [...COLUMNS], bom: true, escape_formulas: true, record_delimiter: 'windows' },
  );
}

export function jsonOf(photos: readonly Exported[], readings: Readings): string {
  const all = photos.map(({ id, name, state }) => ({
    name,
    state: state.kind,
    ...(state.kind === 'failed' ? { error: state.error.code } : {}),
    ...(state.kind === 'done' ? { result: withoutImages(state.result), ...togetherOf(state) } : {}),
    ...readerOf(readings.get(id)),
  }));
  return `${JSON.stringify({ dermletReview: 1, photos: all }, null, 2)}\n`;
}
