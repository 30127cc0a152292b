// For tests of what happens without memory: the module with less of it, and pictures that need more.
import * as zlib from 'node:zlib';

const MEMORY_SECTION = 5;

/**
 * @param {Uint8Array} bytes
 * @param {number} at
 */
function readLeb(bytes, at) {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at] ?? 0;
    at += 1;
    value += (byte & 0x7f) * 2 ** shift;
    if ((byte & 0x80) === 0) return { value, end: at };
  }
}

/** @param {number} value */
function leb(value) {
  const bytes = [];
  for (; value > 0x7f; value = Math.floor(value / 128)) bytes.push((value & 0x7f) | 0x80);
  return Buffer.from([...bytes, value]);
}

/**
 * The same WebAssembly module whose memory may grow to `mebibytes` at most, as on a device that gives no more.
 * @param {Uint8Array} wasm
 * @param {number} mebibytes
 */
export function withMostMemory(wasm, mebibytes) {
  for (let at = 8; at < wasm.length; ) {
    const size = readLeb(wasm, at + 1);
    const end = size.end + size.value;
    if (wasm[at] === MEMORY_SECTION) {
      // One memory, with flag 1: a least and a most.
      if (wasm[size.end] !== 1 || wasm[size.end + 1] !== 1)
        throw new Error('the module has no memory of the expected kind');
      const least = readLeb(wasm, size.end + 2);
      const limits = Buffer.concat([Buffer.from([1, 1]), leb(least.value), leb(mebibytes * 16)]);
      return Buffer.concat([wasm.subarray(0, at + 1), leb(limits.length), limits, wasm.subarray(end)]);
    }
    at = end;
  }
  throw new Error('the module has no memory');
}

/**
 * A PNG of one colour, 16-bit RGBA unless told: eight bytes a pixel, and as much again while it is decoded.
 * @param {number} width
 * @param {number} height
 * @param {{ depth?: number, colour?: number, samples?: number }} [options]
 */
export function blankPng(width, height, { depth = 16, colour = 6, samples = 4 } = {}) {
  /**
   * @param {string} type
   * @param {Buffer} data
   */
  const chunk = (type, data) => {
    const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
    const head = Buffer.alloc(4);
    head.writeUInt32BE(data.length);
    const tail = Buffer.alloc(4);
    tail.writeUInt32BE(crc(body));
    return Buffer.concat([head, body, tail]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header[8] = depth;
  header[9] = colour;
  const rows = Buffer.alloc(height * (1 + (width * samples * depth) / 8));
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', header),
    chunk('IDAT', zlib.deflateSync(rows, { level: 1 })),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/**
 * zlib's own where this Node has it (22.2, 20.15).
 * @param {Uint8Array} bytes
 */
function crc(bytes) {
  if (zlib.crc32 !== undefined) return zlib.crc32(bytes);
  let value = ~0;
  for (const byte of bytes) {
    value ^= byte;
    for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  }
  return ~value >>> 0;
}
