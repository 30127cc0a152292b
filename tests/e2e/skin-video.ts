/** Drawn video of skin, which Chromium plays as a camera. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test as base } from './fixtures.js';

/** Pixels of the video. */
export const [WIDTH, HEIGHT] = [320, 240];
/** Pictures a second, and seconds of each of its parts. */
const [RATE, SECONDS] = [5, 7];

/** Luma of a dark spot with hairs on skin, in levels. */
function drawn(): Float64Array {
  const luma = new Float64Array(WIDTH * HEIGHT);
  let seed = 7;
  const random = () => (seed = (seed * 16807) % 2147483647) / 2147483647;
  const grain = Array.from({ length: (WIDTH / 4) * (HEIGHT / 4) }, () => (random() - 0.5) * 30);
  for (let y = 0; y < HEIGHT; y++)
    for (let x = 0; x < WIDTH; x++) {
      const angle = Math.atan2(y - HEIGHT / 2, x - WIDTH / 2);
      const edge = 42 + 7 * Math.sin(5 * angle) + 4 * Math.cos(9 * angle);
      const inside = Math.hypot(x - WIDTH / 2, y - HEIGHT / 2) < edge;
      const hair = Math.abs(((x + 2 * y) % 71) - 35) < 1.2 || Math.abs(((3 * x - y + 960) % 97) - 48) < 1.2;
      const cell = grain[Math.floor(y / 4) * (WIDTH / 4) + Math.floor(x / 4)]!;
      luma[y * WIDTH + x] = (inside ? 66 : hair ? 70 : 165) + cell;
    }
  return luma;
}

/** By a box of 2 * radius + 1 pixels, along rows and columns. */
function blurred(luma: Float64Array, radius: number): Float64Array {
  const along = (from: Float64Array, step: number, length: number, at: (line: number) => number, lines: number) => {
    const to = new Float64Array(from.length);
    for (let line = 0; line < lines; line++)
      for (let i = 0; i < length; i++) {
        let sum = 0;
        for (let k = -radius; k <= radius; k++)
          sum += from[at(line) + Math.min(length - 1, Math.max(0, i + k)) * step]!;
        to[at(line) + i * step] = sum / (2 * radius + 1);
      }
    return to;
  };
  const rows = along(luma, 1, WIDTH, (line) => line * WIDTH, HEIGHT);
  return along(rows, WIDTH, HEIGHT, (line) => line, WIDTH);
}

/** Dark, then sharp, then blurred, over and over: YUV4MPEG2, which Chromium plays as a camera. */
function video(): string {
  const sharp = drawn();
  const soft = blurred(blurred(blurred(sharp, 9), 9), 9);
  const header = Buffer.from(`YUV4MPEG2 W${WIDTH} H${HEIGHT} F${RATE}:1 Ip A1:1 C420jpeg\n`);
  const frame = (luma: Float64Array, share: number): Buffer => {
    const quarter = (WIDTH * HEIGHT) / 4;
    const colour = (value: number) => Buffer.alloc(quarter, Math.round(128 + (value - 128) * share));
    const levels = Uint8Array.from(luma, (level) => Math.min(235, Math.max(16, level * share)));
    return Buffer.concat([Buffer.from('FRAME\n'), Buffer.from(levels), colour(108), colour(154)]);
  };
  const parts = [frame(sharp, 0.2), frame(sharp, 1), frame(soft, 1)];
  const path = join(mkdtempSync(join(tmpdir(), 'dermlet-camera-')), 'skin.y4m');
  writeFileSync(
    path,
    Buffer.concat([header, ...parts.flatMap((part) => Array(RATE * SECONDS).fill(part) as Buffer[])]),
  );
  return path;
}

/** As in `fixtures.ts`, in a browser whose camera shows the video. */
export const test = base.extend<object, { skin: string }>({
  skin: [async ({}, use) => use(video()), { scope: 'worker' }],
  launchOptions: [
    async ({ launchOptions, skin }, use) => {
      const args = ['--use-fake-device-for-media-stream', `--use-file-for-fake-video-capture=${skin}`];
      await use({ ...launchOptions, args: [...(launchOptions.args ?? []), ...args] });
    },
    { scope: 'worker' },
  ],
});
