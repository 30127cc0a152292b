// A photo of any size, drawn without a library: noise, with about as many bits a pixel as a camera's photo has.

/**
 * Eight codes of four bits for the differences of means, seven of three bits for the rest: a prefix code each, and all
 * that the random blocks need.
 */
const DC_SYMBOLS = [0, 1, 2, 3, 4, 5, 6, 7];
const AC_SYMBOLS = [0x00, 0x01, 0x02, 0x03, 0x11, 0x12, 0x21];

/** Bits, most significant first, with a zero after every 0xFF (ITU-T T.81 F.1.2.3). */
class BitWriter {
  /** @type {number[]} */
  bytes = [];
  #bits = 0;
  #count = 0;

  /**
   * @param {number} value
   * @param {number} count
   */
  put(value, count) {
    for (let i = count - 1; i >= 0; i -= 1) {
      this.#bits = (this.#bits << 1) | ((value >> i) & 1);
      if (++this.#count < 8) continue;
      this.bytes.push(this.#bits, ...(this.#bits === 0xff ? [0] : []));
      this.#bits = this.#count = 0;
    }
  }

  /** Fills the last byte with ones. */
  finish() {
    while (this.#count > 0) this.put(1, 1);
    return this.bytes;
  }
}

/**
 * @param {number} marker
 * @param {number[]} payload
 */
const segment = (marker, ...payload) => [
  0xff,
  marker,
  (payload.length + 2) >> 8,
  (payload.length + 2) & 255,
  ...payload,
];
/**
 * @param {number} length
 * @param {number} count
 */
const counts = (length, count) => Array.from({ length: 16 }, (_, i) => (i === length - 1 ? count : 0));

/**
 * One row of MCUs (4:2:0: four luma blocks, two of chroma) of random coefficients: about as many bits a pixel as a
 * camera's photo has.
 * @param {number} units
 */
function rowOfUnits(units) {
  const writer = new BitWriter();
  let seed = 1;
  /** @param {number} below */
  const random = (below) => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return Math.floor((seed / 2 ** 32) * below);
  };
  for (let block = 0; block < units * 6; block += 1) {
    const size = random(4);
    writer.put(size, 4);
    writer.put(random(2 ** size), size);
    for (let k = 0; k < 20; k += 1) {
      const code = 1 + random(6);
      const bits = (AC_SYMBOLS[code] ?? 0) & 15;
      writer.put(code, 3);
      writer.put(random(2 ** bits), bits);
    }
    writer.put(0, 3); // end of block
  }
  return writer.finish();
}

/**
 * A baseline JPEG with a restart after each row of MCUs, so that one row drawn can stand for all.
 * @param {number} width
 * @param {number} height
 */
export function noiseJpeg(width, height) {
  const units = Math.ceil(width / 16);
  const rows = Math.ceil(height / 16);
  const head = [
    0xff,
    0xd8,
    ...segment(0xdb, 0, ...Array(64).fill(4)),
    ...segment(0xc0, 8, height >> 8, height & 255, width >> 8, width & 255, 3, 1, 0x22, 0, 2, 0x11, 0, 3, 0x11, 0),
    ...segment(0xc4, 0x00, ...counts(4, DC_SYMBOLS.length), ...DC_SYMBOLS),
    ...segment(0xc4, 0x10, ...counts(3, AC_SYMBOLS.length), ...AC_SYMBOLS),
    ...segment(0xdd, units >> 8, units & 255),
    ...segment(0xda, 3, 1, 0, 2, 0, 3, 0, 0, 63, 0),
  ];
  const row = Buffer.from(rowOfUnits(units));
  const parts = [Buffer.from(head)];
  for (let y = 0; y < rows; y += 1) parts.push(row, Buffer.from([0xff, y < rows - 1 ? 0xd0 + (y % 8) : 0xd9]));
  return Buffer.concat(parts);
}
