/**
 * The sample pictures: drawings of spots on skin, by which anybody can try the page without a photo of their own. Drawn
 * here, the same on every machine, as PNG files. Outlines, flat colours and hatching show that they are drawings.
 */
import { deflateSync } from 'node:zlib';

/** Pixels each way. */
export const SIDE = 288;

/** @typedef {[red: number, green: number, blue: number]} Colour */

/**
 * A drawing, by what its spot is like. Lengths are shares of the side.
 * @typedef {object} Drawing
 * @property {string} name  of the file, without its ending
 * @property {Colour} skin
 * @property {Colour} spot
 * @property {Colour} edge
 * @property {[x: number, y: number]} centre
 * @property {number} radius
 * @property {readonly [waves: number, height: number, turn: number][]} waves  of the outline
 * @property {readonly { at: [x: number, y: number], radius: number, colour: Colour }[]} patches  in the spot
 */

/** @type {readonly Drawing[]} */
export const DRAWINGS = [
  {
    name: 'even',
    skin: [233, 190, 160],
    spot: [134, 84, 58],
    edge: [104, 62, 42],
    centre: [0.49, 0.52],
    radius: 0.17,
    waves: [[3, 0.006, 0.4]],
    patches: [{ at: [0.46, 0.49], radius: 0.07, colour: [150, 98, 70] }],
  },
  {
    name: 'uneven',
    skin: [226, 180, 150],
    spot: [96, 58, 44],
    edge: [62, 36, 30],
    centre: [0.52, 0.5],
    radius: 0.2,
    waves: [
      [2, 0.03, 0.9],
      [5, 0.02, 2.1],
      [9, 0.01, 0.2],
    ],
    patches: [
      { at: [0.6, 0.44], radius: 0.075, colour: [42, 28, 30] },
      { at: [0.43, 0.57], radius: 0.085, colour: [150, 92, 70] },
      { at: [0.55, 0.6], radius: 0.05, colour: [120, 82, 84] },
    ],
  },
  {
    name: 'red',
    skin: [141, 96, 70],
    spot: [150, 34, 40],
    edge: [104, 20, 28],
    centre: [0.5, 0.49],
    radius: 0.12,
    waves: [[4, 0.005, 1.3]],
    patches: [{ at: [0.47, 0.46], radius: 0.04, colour: [190, 70, 70] }],
  },
];

/** @type {(from: Colour, to: Colour, share: number) => Colour} */
const mixed = (from, to, share) => [
  from[0] + (to[0] - from[0]) * share,
  from[1] + (to[1] - from[1]) * share,
  from[2] + (to[2] - from[2]) * share,
];

/** How much of a pixel lies inside a line at `distance`, given in pixels. */
const inside = (/** @type {number} */ distance) => Math.min(1, Math.max(0, 0.5 - distance));

/**
 * Furrows of skin, as a pen would hatch them: how dark the ink is at a place.
 * @type {(x: number, y: number) => number}
 */
function hatching(x, y) {
  const along = (/** @type {number} */ turn, /** @type {number} */ gap) => {
    const across =
      x * Math.cos(turn) + y * Math.sin(turn) + 3 * Math.sin((y * Math.cos(turn) - x * Math.sin(turn)) / 17);
    const place = ((across % gap) + gap) % gap;
    return inside(Math.abs(place - gap / 2) - 0.45);
  };
  return Math.max(along(0.6, 23), along(2.2, 29));
}

/** @type {(drawing: Drawing, x: number, y: number) => Colour} */
function colourAt({ skin, spot, edge, centre, radius, waves, patches }, x, y) {
  const ground = mixed(skin, [255, 255, 255], 0.16 * (1 - (x + y) / (2 * SIDE)));
  const [dx, dy] = [x - centre[0] * SIDE, (y - centre[1] * SIDE) * 1.1];
  const angle = Math.atan2(dy, dx);
  const outline =
    radius + waves.reduce((sum, [count, height, turn]) => sum + height * Math.sin(count * angle + turn), 0);
  const distance = Math.hypot(dx, dy) - outline * SIDE;
  let colour = mixed(ground, edge, 0.2 * hatching(x, y));
  colour = mixed(colour, spot, inside(distance));
  for (const { at, radius: size, colour: other } of patches) {
    const from = Math.hypot(x - at[0] * SIDE, y - at[1] * SIDE) - size * SIDE;
    colour = mixed(colour, other, Math.min(inside(from), inside(distance)));
  }
  return mixed(colour, edge, 0.85 * inside(Math.abs(distance) - 1.4));
}

/** PNG's checksum. Node's own is not in every version that builds this. */
function crc32(/** @type {Uint8Array} */ bytes) {
  let sum = ~0;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit += 1) sum = (sum >>> 1) ^ (sum & 1 ? 0xedb88320 : 0);
  }
  return ~sum >>> 0;
}

/** @type {(kind: string, data: Uint8Array) => Buffer} */
function chunk(kind, data) {
  const body = Buffer.concat([Buffer.from(kind, 'latin1'), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}

/**
 * A PNG of 8-bit RGB. Each byte of a row is stored as its difference to the pixel before.
 * @param {Uint8Array} pixels
 */
function png(pixels) {
  const width = 3 * SIDE;
  const rows = Buffer.alloc((width + 1) * SIDE);
  for (let y = 0; y < SIDE; y += 1) {
    rows[y * (width + 1)] = 1;
    for (let x = 0; x < width; x += 1) {
      const before = x < 3 ? 0 : (pixels[y * width + x - 3] ?? 0);
      rows[y * (width + 1) + 1 + x] = (pixels[y * width + x] ?? 0) - before;
    }
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(SIDE, 0);
  header.writeUInt32BE(SIDE, 4);
  header.set([8, 2, 0, 0, 0], 8);
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(rows, { level: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** @param {Drawing} drawing */
export function drawn(drawing) {
  const pixels = new Uint8Array(3 * SIDE * SIDE);
  for (let y = 0; y < SIDE; y += 1)
    for (let x = 0; x < SIDE; x += 1)
      pixels.set(
        colourAt(drawing, x + 0.5, y + 0.5).map((value) => Math.round(value)),
        3 * (y * SIDE + x),
      );
  return png(pixels);
}
