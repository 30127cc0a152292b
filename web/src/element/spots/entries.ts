/** What is kept, as plain data: named spots, and visits to them. Read from bytes, it is checked field by field. */
import * as v from 'valibot';
import { AGES, PLACES, SIGNS } from '../questions/advice.js';
import { type Bytes, utf8 } from './crypto.js';
import { SpotsError } from './error.js';

/** Bytes of all that is kept, so that one export holds it and one page can read it. */
export const MOST_BYTES = 256_000_000;
/** Spots and visits. */
export const MOST_ENTRIES = 5000;
/** Pixels of a picture's longer side: as many as a preview has (`classifier/engine.ts`), of which it is made. */
const LONGEST_SIDE = 1024;
/** Bytes of one entry with its picture: far above what the page makes. */
export const MOST_OF_ONE = 8_000_000;
/** Characters. */
export const LONGEST_NAME = 60;

// Only what the first chunk has of valibot anyway: what else is used of it would be loaded before any answer.
const share = v.pipe(v.number(), v.minValue(0), v.maxValue(1));
const count = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(Number.MAX_SAFE_INTEGER));
const text = v.pipe(v.string(), v.regex(/^.{0,500}$/su));
const id = v.pipe(v.string(), v.regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/u));
const TIERS = ['low', 'moderate', 'high', 'unknown'] as const;
const OUTCOMES = ['single', 'several', 'not-recognised', 'poor-quality', 'no-spot', 'several-spots'] as const;
const FRAMINGS = ['whole', 'spot', 'both', 'chosen', 'none', 'several'] as const;

const placeSchema = v.strictObject({ side: v.picklist(['front', 'back']), x: share, y: share });

const spotSchema = v.strictObject({
  kind: v.literal('spot'),
  id,
  /** When it was last changed, in milliseconds since 1970. */
  changedAt: count,
  name: v.pipe(v.string(), v.regex(new RegExp(`^.{1,${LONGEST_NAME}}$`, 'su'))),
  /** On the body map, as shares of its width and height. */
  place: v.nullable(placeSchema),
});

/** In pixels of the upright picture. */
export const rectSchema = v.strictObject({
  x: v.number(),
  y: v.number(),
  width: v.pipe(v.number(), v.minValue(1)),
  height: v.pipe(v.number(), v.minValue(1)),
});

/** The parts of a result that are shown or compared; the others are kept as they are. */
const resultSchema = v.looseObject({
  resultVersion: v.literal(2),
  model: v.looseObject({ name: text, version: text, sha256: text, title: text }),
  outcome: v.picklist(OUTCOMES),
  tier: v.picklist(TIERS),
  modality: text,
  ranking: v.pipe(
    v.array(v.looseObject({ id: text, name: text, probability: share, concern: text, inSet: v.boolean() })),
    v.minLength(1),
  ),
  quality: v.looseObject({
    checks: v.array(v.looseObject({ id: text, passed: v.boolean() })),
  }),
  source: v.looseObject({
    width: v.pipe(v.number(), v.minValue(1)),
    height: v.pipe(v.number(), v.minValue(1)),
    region: rectSchema,
  }),
  frame: v.looseObject({ framing: v.picklist(FRAMINGS), spots: v.array(v.looseObject({})) }),
});

/** What the person had answered of the spot by then (`questions/advice.ts`). */
const answersSchema = v.strictObject({
  signs: v.array(v.picklist(SIGNS)),
  age: v.nullable(v.picklist(AGES)),
  place: v.nullable(v.picklist(PLACES)),
});

const visitSchema = v.strictObject({
  kind: v.literal('visit'),
  id,
  changedAt: count,
  spot: id,
  /** When it was kept, in milliseconds since 1970: what a file says of itself is not known to be true. */
  keptAt: count,
  /** When its answer came: tells whether an answer is kept already. */
  answeredAt: count,
  /** Of its picture. */
  photoBytes: v.pipe(count, v.maxValue(MOST_OF_ONE)),
  result: resultSchema,
  /** Null: none. Absent from what was kept before answers were. */
  answers: v.optional(v.nullable(answersSchema), null),
});

export type Place = v.InferOutput<typeof placeSchema>;
export type Spot = v.InferOutput<typeof spotSchema>;
export type Visit = v.InferOutput<typeof visitSchema>;
export type Entry = Spot | Visit;

/** An entry with the picture of a visit, a JPEG. */
export interface Item {
  readonly entry: Entry;
  readonly photo: Bytes | null;
}

export const isVisit = (entry: Entry): entry is Visit => entry.kind === 'visit';
export const isSpot = (entry: Entry): entry is Spot => entry.kind === 'spot';

export const bytesOf = (entry: Entry): Bytes => utf8(JSON.stringify(entry));

/** @throws SpotsError DAMAGED */
export function entryOf(bytes: Bytes): Entry {
  let read: unknown;
  try {
    read = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw new SpotsError('DAMAGED', { cause: error });
  }
  const kind = (read as { kind?: unknown } | null)?.kind;
  const { success, output } = v.safeParse(kind === 'visit' ? visitSchema : spotSchema, read);
  if (!success) throw new SpotsError('DAMAGED');
  return output;
}

/**
 * The longer side in pixels that a JPEG states, by its segments up to the picture itself; null where that is not one
 * frame, baseline or progressive, as browsers write. Decoders refuse a second frame after that.
 */
function longerSide(jpeg: Bytes): number | null {
  const view = new DataView(jpeg.buffer, jpeg.byteOffset, jpeg.byteLength);
  let side: number | null = null;
  for (let at = 2; at + 10 <= jpeg.length; ) {
    const marker = view.getUint16(at);
    if (marker === 0xffda) return side;
    // In the header each marker has a segment; FFD8, FFD9 and what else has none is at the wrong place.
    if (marker < 0xffc0 || marker === 0xffff || (marker >= 0xffd0 && marker <= 0xffd9)) return null;
    if (marker >= 0xffc0 && marker <= 0xffcf && ![0xffc4, 0xffc8, 0xffcc].includes(marker)) {
      const [height, width] = [view.getUint16(at + 5), view.getUint16(at + 7)];
      if (marker > 0xffc2 || side !== null || height === 0 || width === 0) return null;
      side = Math.max(height, width);
    }
    at += 2 + view.getUint16(at + 2);
  }
  return null;
}

/**
 * Whether the bytes are a JPEG as the page makes them, and no larger: whoever shows it needs memory for as many pixels
 * as it states, which may be billions in a file of a few kilobytes.
 * @throws SpotsError DAMAGED if not, or if they are not as many as the visit says
 */
export function checkPhoto(visit: Visit, photo: Bytes): void {
  const { length } = photo;
  const jpeg = photo[0] === 0xff && photo[1] === 0xd8 && photo[length - 2] === 0xff && photo[length - 1] === 0xd9;
  const side = jpeg ? longerSide(photo) : null;
  if (side === null || side > LONGEST_SIDE || length !== visit.photoBytes) throw new SpotsError('DAMAGED');
}

/** A name as a person typed it: without spaces around it, not longer than is kept; empty: none. */
export const nameOf = (typed: string): string => [...typed.normalize('NFC').trim()].slice(0, LONGEST_NAME).join('');

/** Spots by name, in the order of a language. */
export function spotsOf(entries: readonly Entry[], locale: string): Spot[] {
  const { compare } = new Intl.Collator(locale, { numeric: true });
  return entries.filter(isSpot).sort((a, b) => compare(a.name, b.name) || (a.id < b.id ? -1 : 1));
}

/** Visits to a spot, the first kept first. */
export const visitsOf = (entries: readonly Entry[], spot: string): Visit[] =>
  entries
    .filter(isVisit)
    .filter((visit) => visit.spot === spot)
    .sort((a, b) => a.keptAt - b.keptAt);
