/**
 * Draws the benchmark's photos: skin-like gradients, texture in several octaves and sensor noise, so that a JPEG of
 * them holds about as many bits a pixel as a camera's. Drawn once, kept in .cache/bench/pictures; the same seed gives
 * the same pixels.
 */
import { existsSync, mkdirSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The little that is used of wasm-vips; its own types come with the package, which only a benchmark run installs. */
interface VipsImage {
  resize(scale: number, options: object): VipsImage;
  crop(left: number, top: number, width: number, height: number): VipsImage;
  add(other: VipsImage | number[]): VipsImage;
  multiply(other: VipsImage | number[]): VipsImage;
  linear(a: number[], b: number[]): VipsImage;
  gaussblur(sigma: number): VipsImage;
  cast(format: string): VipsImage;
  copy(options: object): VipsImage;
  jpegsaveBuffer(options: object): Uint8Array;
}

interface Vips {
  Image: {
    gaussnoise(width: number, height: number, options: object): VipsImage;
    sines(width: number, height: number, options: object): VipsImage;
    maskGaussian(width: number, height: number, cutoff: number, amplitude: number, options: object): VipsImage;
  };
  shutdown?(): void;
}

export interface BenchPicture {
  name: string;
  /** Millions of pixels, rounded: what a picture is chosen by. */
  megapixels: number;
  progressive: boolean;
  width: number;
  height: number;
  bytes: number;
  path: string;
}

export const SIZES = [
  { megapixels: 1, width: 1152, height: 864 },
  { megapixels: 12, width: 4000, height: 3000 },
  { megapixels: 48, width: 8000, height: 6000 },
];
/** Raised when what is drawn changes, so that old pictures are not used. */
const REVISION = 2;

async function loadVips(): Promise<Vips> {
  const name: string = 'wasm-vips';
  const { default: create } = (await import(name)) as { default: (options: object) => Promise<Vips> };
  return create({ dynamicLibraries: [] });
}

/** Noise of one grain size in pixels, as wide as the picture. */
function octave(vips: Vips, width: number, height: number, grain: number, sigma: number, seed: number): VipsImage {
  const noise = vips.Image.gaussnoise(Math.ceil(width / grain) + 2, Math.ceil(height / grain) + 2, {
    mean: 0,
    sigma,
    seed,
  });
  return grain === 1
    ? noise.crop(0, 0, width, height)
    : noise.resize(grain, { kernel: 'cubic' }).crop(0, 0, width, height);
}

function draw(vips: Vips, width: number, height: number): VipsImage {
  let light = octave(vips, width, height, 1, 5, 1);
  for (const [grain, sigma] of [
    [2, 4],
    [4, 4],
    [16, 5],
    [64, 6],
    [256, 10],
  ] as const) {
    light = light.add(octave(vips, width, height, grain, sigma, grain));
  }
  // A darker spot in the middle: one bell curve, bent by the coarse noise.
  const bell = vips.Image.maskGaussian(width, height, 0.25, 0.5, { optical: true, reject: false, nodc: true });
  const shade = light.add(bell.linear([-70], [0]));
  // Skin reflects red most and blue least.
  return shade.linear([0.9, 1, 1.05], [205, 160, 140]).cast('uchar').copy({ interpretation: 'srgb' });
}

/** Pictures of the sizes asked for, in megapixels, baseline and progressive; drawn now where they are missing. */
export async function pictures(
  folder: string,
  wanted: readonly number[],
  tell: (text: string) => void,
): Promise<BenchPicture[]> {
  mkdirSync(folder, { recursive: true });
  let vips: Vips | undefined;
  const all: BenchPicture[] = [];
  for (const { megapixels, width, height } of SIZES.filter((size) => wanted.includes(size.megapixels))) {
    for (const progressive of [false, true]) {
      const kind = progressive ? 'progressive' : 'baseline';
      const name = `${megapixels} MP ${kind}`;
      const path = join(folder, `${width}x${height}-${kind}-${REVISION}.jpg`);
      if (!existsSync(path)) {
        tell(`Drawing ${name} ...`);
        vips ??= await loadVips();
        writeFileSync(
          `${path}.part`,
          draw(vips, width, height).jpegsaveBuffer({
            Q: 90,
            interlace: progressive,
            subsample_mode: 'on',
            keep: 'none',
          }),
        );
        renameSync(`${path}.part`, path); // a run that was stopped leaves no half of a picture
      }
      all.push({ name, megapixels, progressive, width, height, bytes: statSync(path).size, path });
    }
  }
  vips?.shutdown?.();
  return all;
}
