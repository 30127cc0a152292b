/** Pictures that are given as pixels or as addresses. */
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Engine } from '../../web/src/classifier/engine.js';
import { bytesOf, keptInput, type PixelFile, withPixelSources } from '../../web/src/classifier/given.js';
import { loadEngine } from '../../web/src/classifier/node/engine.js';
import type { ClassifyInput } from '../../web/src/classifier/options.js';
import { expectCode, picture, result } from './support.js';

let engine: Engine;
beforeAll(async () => {
  engine = await loadEngine('skin-8');
});
afterAll(() => engine.dispose());
afterEach(() => vi.unstubAllGlobals());

/** Node has no ImageData. */
class Pixels {
  readonly colorSpace = 'srgb';
  constructor(
    readonly data: unknown,
    readonly width: number,
    readonly height: number,
  ) {}
}

function pixels(data: unknown, width: number, height: number): ClassifyInput {
  vi.stubGlobal('ImageData', Pixels);
  return new Pixels(data, width, height) as unknown as ImageData;
}

describe('pixels', () => {
  test('reach the core as they are, and the answer is that of the file', async () => {
    const options = { images: true, crop: 'whole' } as const;
    const file = await engine.classify(picture('spot.png'), options);
    const { rgba, width, height } = file.images!.preview!;
    const kept = keptInput(pixels(rgba, width, height)) as PixelFile;
    const given = await engine.classify(new Uint8Array(kept.file), options);
    expect(given.images!.preview).toEqual(file.images!.preview);
    expect(given.ranking).toEqual(file.ranking);
  });

  test('that are transparent are laid over white', async () => {
    const half = new Uint8ClampedArray(64 * 48 * 4).map((_, i) => [255, 0, 0, 128][i & 3]!);
    const kept = keptInput(pixels(half, 64, 48)) as PixelFile;
    const { images } = await engine.classify(new Uint8Array(kept.file), { images: true });
    expect([...images!.preview!.rgba.subarray(0, 4)]).toEqual([255, 127, 127, 255]);
  });

  test('are a copy', () => {
    const data = new Uint8ClampedArray(4 * 4);
    const kept = keptInput(pixels(data, 2, 2)) as PixelFile;
    data.fill(9);
    expect(new Uint8Array(kept.file).subarray(-16)).toEqual(new Uint8Array(16));
  });

  test('that are too many, or of floats, are refused', async () => {
    const many = new Uint8ClampedArray(0);
    await expectCode(() => keptInput(pixels(many, 5000, 4000)), 'IMAGE_TOO_LARGE', /5000 x 4000/);
    await expectCode(() => keptInput(pixels(new Float32Array(4), 1, 1)), 'INVALID_ARGUMENT', /8 bits/);
  });

  test('are said to be no file’s', () => {
    const kept = keptInput(pixels(new Uint8ClampedArray(16), 2, 2));
    const file = new Uint8Array(4).buffer;
    const plain = result([], 'single', 'low');
    expect(withPixelSources(plain, kept).source).toMatchObject({
      format: 'pixels',
      bytes: 16,
      decodePath: 'caller',
      bitExact: false,
    });
    expect(withPixelSources(plain, file)).toEqual(plain);
    const lesion = {
      ...plain,
      lesion: { combined: true, primaryIndex: 1, perPicture: [plain, plain] },
    } as unknown as typeof plain;
    const both = withPixelSources(lesion, [{ bytes: file }, { bytes: kept }]);
    expect(both.source.format).toBe('pixels');
    expect(both.lesion!.perPicture.map(({ source }) => source.format)).toEqual(['jpeg', 'pixels']);
  });
});

describe('an address', () => {
  const fetched = (status: number, body = 'photo') => {
    const asked = vi.fn(async () => new Response(body, { status }));
    vi.stubGlobal('fetch', asked);
    return asked;
  };

  test('of the page’s own origin is fetched, and from nowhere else', async () => {
    vi.stubGlobal('location', new URL('https://h/app/page.html'));
    const asked = fetched(200);
    for (const input of ['photo.jpg', new URL('https://h/app/photo.jpg')]) {
      expect(new TextDecoder().decode(await bytesOf(keptInput(input)))).toBe('photo');
      expect(asked).toHaveBeenLastCalledWith(
        new URL('https://h/app/photo.jpg'),
        expect.objectContaining({ mode: 'same-origin' }),
      );
    }
  });

  test.each(['https://elsewhere/photo.jpg', '//elsewhere/photo.jpg', 'data:image/png;base64,AA', 'http://'])(
    '%s is refused',
    (address) => {
      vi.stubGlobal('location', new URL('https://h/app/page.html'));
      return expectCode(() => keptInput(address), 'INVALID_ARGUMENT', /own origin/);
    },
  );

  test('that is not answered is no picture', async () => {
    vi.stubGlobal('location', new URL('https://h/app/page.html'));
    fetched(404);
    await expectCode(bytesOf(keptInput('photo.jpg')), 'UNREADABLE_FILE', /404/);
  });
});
