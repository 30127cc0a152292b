/**
 * Which decoder is chosen for what the core does not decode, and what is said where none can be. Stand-ins take the
 * place of browsers; the real ones are in tests/e2e.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { describe, expect, test } from 'vitest';
import { type DecodingScope, decodeInBrowser, isProbe, probeFile } from '../../web/src/classifier/browser-decoder.js';
import { patchedCopy } from '../../web/src/classifier/foreign.js';
import { type CreateLibheif, decodeHeic, type Libheif } from '../../web/src/classifier/libheif.js';
import { loadEngine } from '../../web/src/classifier/node/engine.js';
import { expectCode, picture } from './support.js';

/** Greatest mean difference in levels: what the encoders lose. */
const LOSSY = 3;

interface Ways {
  webcodecs?:
    | 'works'
    | 'lacks the format'
    | 'alters'
    | 'fails'
    | 'knows no RGBA'
    | 'misreads animations'
    | 'converts'
    | 'fails to list tracks';
  canvas?: 'works' | 'alters' | 'fails' | 'lacks the format';
}

const PHOTO = { width: 2, height: 1, rgba: new Uint8ClampedArray([1, 2, 3, 255, 4, 5, 6, 255]) };
const file = new Uint8Array([1, 2, 3]);

/** RGBA of the 24-bit BMP that probes are; of all else, the photo. */
function decoded(bytes: Uint8Array): typeof PHOTO {
  if (bytes[0] !== 0x42) return PHOTO;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const [width, height] = [view.getInt32(18, true), view.getInt32(22, true)];
  const rgba = new Uint8ClampedArray(width * height * 4).fill(255);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++)
      for (let c = 0; c < 3; c++)
        rgba[(y * width + x) * 4 + c] = bytes[54 + (height - 1 - y) * width * 3 + x * 3 + 2 - c]!;
  }
  return { width, height, rgba };
}

/** A browser with these ways to decode, and how many frames, decoders and bitmaps it has open. */
function browser({ webcodecs, canvas }: Ways) {
  const open = { count: 0 };
  const noise = (rgba: Uint8ClampedArray, altered: boolean) => {
    if (altered) rgba[17] = rgba[17]! ^ 1;
    return rgba;
  };
  class Decoder {
    static isTypeSupported = async () => webcodecs !== 'lacks the format';
    /** As Chromium lists those of an animated AVIF: the animation first, and selected. */
    readonly tracks;
    constructor(readonly init: { data: Uint8Array }) {
      open.count++;
      const list = [
        { animated: true, selected: true },
        { animated: false, selected: false },
      ];
      const fails = webcodecs === 'fails to list tracks' && init.data[0] !== 0x42;
      this.tracks = Object.assign(webcodecs === 'misreads animations' ? list : list.slice(0, 1), {
        ready: fails ? Promise.reject(new Error('EncodingError')) : Promise.resolve(),
      });
    }
    async decode() {
      const { width, height, rgba } = decoded(this.init.data);
      if (webcodecs === 'misreads animations' && !this.tracks[1]!.selected) rgba[0]! += 14;
      if (webcodecs === 'fails' && this.init.data[0] !== 0x42) throw new Error('EncodingError');
      open.count++;
      return {
        image: {
          colorSpace: { primaries: webcodecs === 'converts' && this.init.data[0] !== 0x42 ? 'bt2020' : 'bt709' },
          visibleRect: { width, height },
          allocationSize: () => (webcodecs === 'knows no RGBA' ? (width * height * 3) / 2 : width * height * 4),
          copyTo: async (to: Uint8ClampedArray) => to.set(noise(rgba.slice(), webcodecs === 'alters')),
          close: () => open.count--,
        },
      };
    }
    close() {
      open.count--;
    }
  }
  class Canvas {
    #drawn: typeof PHOTO | undefined;
    getContext() {
      return {
        fillRect: () => undefined,
        drawImage: (bitmap: typeof PHOTO) => (this.#drawn = bitmap),
        getImageData: () => ({ data: noise(this.#drawn!.rgba.slice(), canvas === 'alters') }),
      };
    }
  }
  const createImageBitmap = async (blob: Blob) => {
    const bytes = new Uint8Array(await blob.arrayBuffer());
    const isFile = bytes.length === file.length;
    if ((canvas === 'fails' && isFile) || (canvas === 'lacks the format' && bytes[0] !== 0x42))
      throw new Error('InvalidStateError');
    open.count++;
    return { ...decoded(bytes), close: () => open.count-- };
  };
  const scope = {
    ...(webcodecs ? { ImageDecoder: Decoder } : {}),
    ...(canvas ? { createImageBitmap, OffscreenCanvas: Canvas } : {}),
  } as unknown as DecodingScope;
  return { scope, open };
}

const noLibheif = () => Promise.reject(new Error('libheif was asked for'));
const decodeIn = (
  ways: Ways,
  format: 'webp' | 'avif' | 'heic' = 'avif',
  libheif: () => Promise<Libheif> = noLibheif,
) => {
  const { scope, open } = browser(ways);
  return decodeInBrowser(file, format, libheif, scope).finally(() =>
    expect(open.count, 'frames, decoders and bitmaps still open').toBe(0),
  );
};

describe('the browser’s decoders', () => {
  test('the probe comes through a plain decoder unchanged, and one bit is noticed', () => {
    const probe = decoded(probeFile());
    expect(isProbe(probe)).toBe(true);
    probe.rgba[100]! ^= 1;
    expect(isProbe(probe)).toBe(false);
    expect(isProbe(PHOTO)).toBe(false);
  });

  test.each<[Ways, 'webcodecs' | 'canvas']>([
    [{ webcodecs: 'works', canvas: 'works' }, 'webcodecs'],
    [{ webcodecs: 'works' }, 'webcodecs'],
    [{ canvas: 'works' }, 'canvas'],
    [{ webcodecs: 'lacks the format', canvas: 'works' }, 'canvas'],
    [{ webcodecs: 'alters', canvas: 'works' }, 'canvas'],
    [{ webcodecs: 'fails', canvas: 'works' }, 'canvas'],
    [{ webcodecs: 'knows no RGBA', canvas: 'works' }, 'canvas'],
    [{ webcodecs: 'converts', canvas: 'works' }, 'canvas'],
    [{ webcodecs: 'misreads animations', canvas: 'works' }, 'webcodecs'],
    [{ webcodecs: 'fails to list tracks', canvas: 'works' }, 'canvas'],
    [{ webcodecs: 'works', canvas: 'alters' }, 'webcodecs'],
  ])('%j: %s', async (ways, path) => expect(await decodeIn(ways)).toEqual({ ...PHOTO, path }));

  test('pixels that may have been altered are never used', async () => {
    await expectCode(decodeIn({ canvas: 'alters' }), 'UNSUPPORTED_FORMAT', /AVIF.*alters the pixels/);
    await expectCode(
      decodeIn({ webcodecs: 'alters', canvas: 'alters' }, 'webp'),
      'UNSUPPORTED_FORMAT',
      /WebP.*alters the pixels/,
    );
  });

  test('a broken file and a browser that lacks the format are told apart', async () => {
    await expectCode(decodeIn({ webcodecs: 'fails', canvas: 'fails' }), 'CORRUPT_IMAGE', /AVIF/);
    await expectCode(decodeIn({ canvas: 'fails' }), 'CORRUPT_IMAGE', /AVIF/);
    await expectCode(
      decodeIn({ canvas: 'lacks the format' }),
      'UNSUPPORTED_FORMAT',
      /AVIF.*cannot decode.*JPEG or PNG/,
    );
    await expectCode(decodeIn({}), 'UNSUPPORTED_FORMAT', /AVIF/);
  });
});

describe('HEIC', () => {
  const require = createRequire(import.meta.url);
  const create = require('libheif-js/libheif-wasm/libheif.js') as CreateLibheif;
  const libheif = async () =>
    create({ wasmBinary: new Uint8Array(readFileSync(require.resolve('libheif-js/libheif-wasm/libheif.wasm'))) });

  test('is the browser’s where it can, whose libheif is then not asked for', async () => {
    expect((await decodeIn({ canvas: 'works' }, 'heic')).path).toBe('canvas');
    expect((await decodeIn({ webcodecs: 'works' }, 'heic')).path).toBe('webcodecs');
  });

  test.each<Ways>([{ webcodecs: 'lacks the format', canvas: 'fails' }, { canvas: 'alters' }, {}])(
    'is libheif’s with %j',
    async (ways) => {
      const { scope } = browser(ways);
      const { path, width, height } = await decodeInBrowser(
        picture('foreign/lossy.heic'),
        'heic',
        libheif,
        ways.canvas === 'fails' ? { ...scope, createImageBitmap: () => Promise.reject(new Error()) } : scope,
      );
      expect({ path, width, height }).toEqual({ path: 'libheif', width: 160, height: 120 });
    },
  );

  test('that is broken is CORRUPT_IMAGE', async () => {
    const whole = picture('foreign/lossy.heic');
    await expectCode(decodeHeic(whole.slice(0, 200), await libheif()), 'CORRUPT_IMAGE', /HEIC/);
    await expectCode(decodeHeic(picture('foreign/corrupt.heic'), await libheif()), 'CORRUPT_IMAGE', /HEIC/);
  });
});

test('the core’s patches are made to a copy', () => {
  const bytes = new Uint8Array([1, 2, 3]);
  expect([...patchedCopy(bytes, [0, 9, 2, 8])]).toEqual([9, 2, 8]);
  expect([...bytes]).toEqual([1, 2, 3]);
});

describe('in Node', async () => {
  const engine = await loadEngine('skin-8');

  test('a HEIC is classified, and the result says by whose pixels', async () => {
    const { source } = await engine.classify(picture('foreign/orientation-6.heic'));
    expect(source).toMatchObject({
      format: 'heic',
      width: 160,
      height: 120,
      orientation: 6,
      decodePath: 'libheif',
      bitExact: false,
    });
  });

  const viewOf = async (name: string) => {
    const { images, source } = await engine.classify(picture(`foreign/${name}`), { images: true, crop: 'whole' });
    return { rgba: images!.view.rgba, source };
  };
  const drawings = new Map<string, Uint8ClampedArray>();

  /** Mean and greatest difference of what the network sees from the PNG's, in levels of 255. */
  async function difference(name: string, png: string) {
    const { rgba, source } = await viewOf(name);
    const wanted = drawings.get(png) ?? (await viewOf(png)).rgba;
    drawings.set(png, wanted);
    const each = rgba.map((value, i) => Math.abs(value - wanted[i]!));
    return {
      source,
      mean: each.reduce((sum, value) => sum + value, 0) / ((each.length / 4) * 3),
      greatest: each.reduce((most, value) => Math.max(most, value), 0),
    };
  }

  test.each([
    ['lossless.webp', 'drawing.png', 'libwebp', 0],
    ['lossless-alpha.webp', 'alpha.png', 'libwebp', 0],
    ['profile.webp', 'profile.png', 'libwebp', 0],
    ['lossy.webp', 'drawing.png', 'libwebp', LOSSY],
    ['orientation-6.webp', 'drawing.png', 'libwebp', LOSSY],
    ['lossy.avif', 'drawing.png', 'libavif', LOSSY],
    ['alpha.avif', 'alpha.png', 'libavif', LOSSY],
    ['profile.avif', 'profile.png', 'libavif', LOSSY],
    ['animated.avif', 'drawing.png', 'libavif', LOSSY],
    ['orientation-7.avif', 'drawing.png', 'libavif', LOSSY],
    ['no-colours.avif', 'drawing.png', 'libavif', LOSSY],
    ['subsampled-422.avif', 'drawing.png', 'libavif', LOSSY],
    ['mif1.avif', 'profile.png', 'libavif', LOSSY],
    ['mif1.heic', 'profile.png', 'libheif', LOSSY],
    ['tiles-profile.heic', 'profile.png', 'libheif', LOSSY],
    ['tiles-several-ipma.heic', 'profile.png', 'libheif', LOSSY],
    ['tiles-identity.heic', 'profile.png', 'libheif', LOSSY],
    ['tiles-turned.heic', 'profile.png', 'libheif', LOSSY],
  ] as const)('%s shows what %s shows', async (name, png, decodePath, tolerance) => {
    const { source, mean, greatest } = await difference(name, png);
    console.log(`      ${name}: mean ${mean.toFixed(2)}, greatest ${greatest}, ${source.decodePath}, ${source.colour}`);
    expect(mean).toBeLessThanOrEqual(tolerance);
    expect(source).toMatchObject({ decodePath, bitExact: false, width: 160, height: 120, format: name.split('.')[1] });
    if (png === 'profile.png') expect(source.colour).toBe('converted');
  });

  test('the colours of a grid’s tiles are converted', async () => {
    const { source } = await engine.classify(picture('foreign/tiles-codes.heic'));
    expect(source).toMatchObject({ decodePath: 'libheif', colour: 'converted' });
  });

  test.each([
    ['foreign/animated.webp', 'UNSUPPORTED_FORMAT', /only browsers decode an animated one.*JPEG or PNG/],
    ['foreign/corrupt.avif', 'CORRUPT_IMAGE', /AVIF/],
    ['foreign/corrupt.heic', 'CORRUPT_IMAGE', /HEIC/],
    ['foreign/huge.webp', 'IMAGE_TOO_LARGE', /16001 x 16001/],
    ['foreign/huge.heic', 'IMAGE_TOO_LARGE', /50000 x 50000/],
    ['foreign/cut-off.webp', 'CORRUPT_IMAGE', /ends before/],
    ['kinds/jpeg-arithmetic.jpg', 'UNSUPPORTED_FORMAT', /arithmetic-coded JPEG/],
    ['kinds/jpeg-12-bit.jpg', 'UNSUPPORTED_FORMAT', /12 bits/],
  ] as const)('%s: %s', async (name, code, message) => expectCode(engine.classify(picture(name)), code, message));
});
