/** Places on the drawn body, by which a person names where a spot is. No DOM, no words. */
import type { Place } from './entries.js';

/** Of the drawing of one side, in its own unit. */
export const DRAWN = { width: 100, height: 210 };

export const PARTS = [
  'face',
  'head',
  'neck',
  'chest',
  'belly',
  'hips',
  'upperBack',
  'lowerBack',
  'buttocks',
  'upperArm',
  'forearm',
  'hand',
  'thigh',
  'lowerLeg',
  'foot',
] as const;
export type Part = (typeof PARTS)[number];

/** A part of the body, seen from one side. */
export interface BodyPlace {
  readonly part: Part;
  /** The person's own; null: in the middle. */
  readonly hand: 'left' | 'right' | null;
  readonly place: Place;
}

type At = readonly [part: Part, x: number, y: number];

const IN_THE_MIDDLE: Readonly<Record<Place['side'], readonly At[]>> = {
  front: [
    ['face', 50, 16],
    ['neck', 50, 33],
    ['chest', 50, 50],
    ['belly', 50, 76],
    ['hips', 50, 98],
  ],
  back: [
    ['head', 50, 14],
    ['neck', 50, 33],
    ['upperBack', 50, 50],
    ['lowerBack', 50, 78],
    ['buttocks', 50, 100],
  ],
};

/** On the right of the drawing. */
const AT_THE_SIDE: readonly At[] = [
  ['upperArm', 73, 53],
  ['forearm', 79, 90],
  ['hand', 84, 113],
  ['thigh', 60, 128],
  ['lowerLeg', 58, 168],
  ['foot', 61, 200],
];

const placeAt = (side: Place['side'], x: number, y: number): Place => ({
  side,
  x: x / DRAWN.width,
  y: y / DRAWN.height,
});

/** In the order of the list: front, then back, from the head down. From the front, the left hand is on the right. */
export const BODY: readonly BodyPlace[] = (['front', 'back'] as const).flatMap((side) => [
  ...IN_THE_MIDDLE[side].map(([part, x, y]): BodyPlace => ({ part, hand: null, place: placeAt(side, x, y) })),
  ...AT_THE_SIDE.flatMap(([part, x, y]): BodyPlace[] => {
    const [right, left] = side === 'front' ? [DRAWN.width - x, x] : [x, DRAWN.width - x];
    return [
      { part, hand: 'left', place: placeAt(side, left, y) },
      { part, hand: 'right', place: placeAt(side, right, y) },
    ];
  }),
]);

const distance = (a: Place, b: Place): number => Math.hypot((a.x - b.x) * DRAWN.width, (a.y - b.y) * DRAWN.height);

/** What a place is called: the nearest part on its side. */
export function nearest(place: Place): BodyPlace {
  const [first, ...others] = BODY.filter((other) => other.place.side === place.side);
  return others.reduce((a, b) => (distance(b.place, place) < distance(a.place, place) ? b : a), first!);
}
