/** The retired servers' interfaces as a function, with a real classifier. */
import { rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Classifier } from '../../web/src/classifier/node/index.js';
import {
  createFetchHandler,
  type FetchHandlerOptions,
  type PictureClassifier,
  refusal,
} from '../../web/src/handler/index.js';
import { kindOf } from './openapi.js';
import { expectCode, headOfTwo, modelFolder, picture, root } from './support.js';

let classifier: Classifier;
let shipped: Classifier;
beforeAll(async () => {
  [classifier, shipped] = await Promise.all([
    Classifier.load(`${root}tests/imported/keras-2`, { idleTimeout: 0 }),
    Classifier.load('skin-8', { idleTimeout: 0 }),
  ]);
});
afterAll(() => [classifier, shipped].forEach((each) => void each?.dispose()));

const DIAGNOSIS = '/api/predict/skin-disease/';

function form(field: string, bytes: Uint8Array<ArrayBuffer>, type = 'image/jpeg'): FormData {
  const data = new FormData();
  data.set(field, new File([bytes], "a person's name.jpg", { type }));
  return data;
}

type Source = Parameters<typeof createFetchHandler>[0];

async function ask(
  path: string,
  init: RequestInit = {},
  { source = classifier as Source, ...options }: FetchHandlerOptions & { source?: Source } = {},
) {
  const response = await createFetchHandler(source, options)(new Request(`http://localhost${path}`, init));
  const text = await response.text();
  const base = options.base ?? '/';
  const kind = kindOf(init.method ?? 'GET', `/${path.slice(base.length)}`, {
    status: response.status,
    headers: response.headers,
    text,
  });
  return {
    status: response.status,
    headers: response.headers,
    kind,
    text,
    json: JSON.parse(text || 'null') as Record<string, unknown>,
  };
}

const post = (path: string, body: BodyInit | null, options?: Parameters<typeof ask>[2]) =>
  ask(path, { method: 'POST', body, duplex: 'half' } as RequestInit, options);

describe('the shapes of the retired servers', () => {
  test('GET / and GET /health', async () => {
    expect((await ask('/')).json).toEqual({
      message: 'Skin Disease Classification API',
      endpoints: {
        predict: '/predict (POST) - Upload image for prediction',
        health: '/health (GET) - Check API health',
      },
    });
    expect((await ask('/health')).json).toEqual({
      status: 'healthy',
      model_loaded: true,
      available_classes: ['Alpha', 'Beta', 'Gamma', 'Delta'],
    });
  });

  test('POST /predict: three fields, the first three categories', async () => {
    const { status, json } = await post('/predict', form('file', picture('spot.jpg')));
    expect(status).toBe(200);
    expect(Object.keys(json)).toEqual(['predicted_class', 'confidence', 'all_predictions']);
    const all = json.all_predictions as { class_name: string; confidence: number }[];
    expect(all).toHaveLength(3);
    for (const each of all) expect(Object.keys(each)).toEqual(['class_name', 'confidence']);
    expect(all[0]).toEqual({ class_name: json.predicted_class, confidence: json.confidence });
    const result = await classifier.classify(new Blob([picture('spot.jpg')]));
    expect(all.map(({ confidence }) => confidence)).toEqual(
      result.ranking.slice(0, 3).map(({ probability }) => probability),
    );
  });

  test('POST /predict with the later fields', async () => {
    const { json } = await post('/predict', form('file', picture('spot.jpg')), { later: true });
    expect(json).toMatchObject({
      risk_level: expect.stringMatching(/^(high|medium|low)$/) as string,
      clinical_priority: expect.any(Number) as number,
      medical_warning: expect.stringContaining('see a doctor') as string,
      requires_urgent_evaluation: expect.any(Boolean) as boolean,
    });
    expect((json.all_predictions as object[])[0]).toHaveProperty('risk_level');
  });

  test('POST and OPTIONS of the Django server', async () => {
    const { status, json } = await post(DIAGNOSIS, form('image', picture('spot.jpg')));
    expect(status).toBe(200);
    expect(Object.keys(json)).toEqual(['label', 'diagnosis', 'confidence', 'severity', 'advice', 'isSafe']);
    expect((await ask(DIAGNOSIS, { method: 'OPTIONS' })).json).toEqual({ status: 'ok' });
  });

  test('below another path', async () => {
    const base = '/some/where/';
    expect((await ask('/some/where/health', {}, { base })).status).toBe(200);
    expect((await ask('/some/where/', {}, { base })).status).toBe(200);
    const elsewhere = await createFetchHandler(classifier, { base })(new Request('http://localhost/health'));
    expect(elsewhere.status).toBe(404);
  });
});

describe('a category without a tier', () => {
  const folders: string[] = [];
  afterAll(() => folders.forEach((folder) => void rmSync(folder, { recursive: true })));

  const ofHead = async () => Classifier.load('skin-8', { head: await headOfTwo(shipped), idleTimeout: 0 });

  /** The shipped model, whose manifest says nothing of tiers. */
  function withoutTiers(): Promise<Classifier> {
    const folder = modelFolder(({ combination: _, ...json }) => ({
      ...json,
      modalities: json.modalities.map(({ tiers: _tiers, ...modality }) => modality),
    }));
    folders.push(folder);
    return Classifier.load(folder, { idleTimeout: 0 });
  }

  test.each([
    ['a head', ofHead],
    ['a model without tiers', withoutTiers],
  ])('%s: the category is named, the tier unknown, as documented, and it is never isSafe', async (_name, load) => {
    const source = await load();
    try {
      const file = picture('spot.jpg');
      expect(await source.classify(new Blob([file]))).toMatchObject({
        outcome: expect.stringMatching(/^(single|several)$/) as string,
        tier: 'unknown',
      });
      const { json: diagnosis } = await post(DIAGNOSIS, form('image', file), { source });
      expect(diagnosis).toMatchObject({ label: expect.any(String) as string, severity: 'Unknown', isSafe: false });
      const { json: later } = await post('/predict', form('file', file), { source, later: true });
      expect(later).toMatchObject({
        predicted_class: expect.any(String) as string,
        risk_level: 'unknown',
        clinical_priority: null,
        requires_urgent_evaluation: false,
      });
      const { json: earlier } = await post('/predict', form('file', file), { source });
      expect(earlier.predicted_class).toBe(later.predicted_class);
      expect(earlier).not.toHaveProperty('outcome');
      const { json: health } = await ask('/health', {}, { source });
      expect(health.available_classes).toEqual(source.model.classes.map(({ name }) => name));
    } finally {
      source.dispose();
    }
  });

  test('the contract knows no other way: never isSafe without a low tier, no priority for an unknown one', () => {
    const headers = new Headers({ 'content-type': 'application/json' });
    const held = (path: string, body: object) => () =>
      kindOf('POST', path, { status: 200, headers, text: JSON.stringify(body) });
    const diagnosis = { label: 'a', diagnosis: 'A', confidence: 90, severity: 'Unknown', advice: 'A.', isSafe: false };
    expect(held(DIAGNOSIS, diagnosis)).not.toThrow();
    expect(held(DIAGNOSIS, { ...diagnosis, isSafe: true })).toThrow(/severity/);
    const predict = {
      predicted_class: 'A',
      confidence: 0.9,
      all_predictions: [{ class_name: 'A', confidence: 0.9, risk_level: 'medium', clinical_priority: 2 }],
      risk_level: 'unknown',
      clinical_priority: null as number | null,
      medical_warning: 'A.',
      requires_urgent_evaluation: false,
    };
    expect(held('/predict', predict)).not.toThrow();
    expect(held('/predict', { ...predict, clinical_priority: 2 })).toThrow(/clinical_priority/);
    expect(held('/predict', { ...predict, requires_urgent_evaluation: true })).toThrow(/requires_urgent/);
    expect(held('/predict', { ...predict, risk_level: 'low' })).toThrow(/clinical_priority/);
  });
});

describe('faults never to repeat', () => {
  test.each([
    ['flat.png', 'poor-quality'],
    ['tiny.png', 'poor-quality'],
  ])('%s is no classification: it says so and is never isSafe', async (name, outcome) => {
    const more = { source: shipped };
    const [earlier, later, diagnosis] = await Promise.all([
      post('/predict', form('file', picture(name)), more),
      post('/predict', form('file', picture(name)), { ...more, later: true }),
      post(DIAGNOSIS, form('image', picture(name)), more),
    ]);
    const message = expect.stringContaining('see a doctor') as string;
    expect(earlier.json).toEqual({ predicted_class: null, confidence: 0, all_predictions: [], outcome, message });
    expect(later.json).toMatchObject({ outcome, risk_level: 'unknown', requires_urgent_evaluation: false });
    expect(diagnosis.json).toMatchObject({ label: null, severity: 'Unknown', isSafe: false, outcome, message });
  });

  test.each([null, () => null, () => Promise.reject(new Error('/secret/path'))])(
    'without a model: 503, and health says so',
    async (source) => {
      const answers = await Promise.all([
        ask('/health', {}, { source }),
        post('/predict', form('file', picture('spot.jpg')), { source }),
        post(DIAGNOSIS, form('image', picture('spot.jpg')), { source }),
      ]);
      expect(answers.map(({ status }) => status)).toEqual([503, 503, 503]);
      expect(answers.map(({ json }) => json)).toEqual([
        { status: 'unhealthy', model_loaded: false, available_classes: [] },
        { detail: 'Model not loaded. Please try again later.', code: 'MODEL_NOT_LOADED' },
        { error: 'Failed to load model', code: 'MODEL_NOT_LOADED' },
      ]);
      for (const { headers } of answers) expect(headers.get('retry-after')).toBe('5');
    },
  );

  test('a classifier that was ended is no model', async () => {
    const ended = await Classifier.load(`${root}tests/imported/keras-2`);
    ended.dispose();
    expect((await post('/predict', form('file', picture('spot.jpg')), { source: ended })).kind).toMatch(
      /503 MODEL_NOT/,
    );
  });

  test('no text of an exception is told', async () => {
    const broken: PictureClassifier = {
      model: classifier.model,
      classify: () => Promise.reject(new Error('at /secret/path: password')),
    };
    const answers = await Promise.all([
      post('/predict', form('file', picture('spot.jpg')), { source: broken }),
      post(DIAGNOSIS, form('image', picture('spot.jpg')), { source: broken }),
    ]);
    expect(answers.map(({ json }) => json)).toEqual([
      { detail: 'Prediction error', code: 'PREDICTION_FAILED' },
      { error: 'Prediction failed', code: 'PREDICTION_FAILED' },
    ]);
  });
});

describe('what is refused', () => {
  test.each([
    ['document.pdf', 400, 'UNSUPPORTED_FORMAT'],
    ['picture.gif', 400, 'UNSUPPORTED_FORMAT'],
    ['corrupt.png', 422, 'CORRUPT_IMAGE'],
    ['cut-off.jpg', 422, 'CORRUPT_IMAGE'],
    ['empty.jpg', 422, 'CORRUPT_IMAGE'],
    ['huge.png', 413, 'IMAGE_TOO_LARGE'],
  ])('%s: %d %s, whatever its media type claims', async (name, status, code) => {
    const answers = await Promise.all([
      post('/predict', form('file', picture(name))),
      post(DIAGNOSIS, form('image', picture(name))),
    ]);
    for (const { status: got, json } of answers) expect([got, json.code]).toEqual([status, code]);
    expect(typeof answers[0].json.detail).toBe('string');
    expect(typeof answers[1].json.error).toBe('string');
    for (const { text } of answers) expect(text).not.toContain("a person's name");
  });

  test('a picture is read whatever its name and media type say', async () =>
    expect((await post('/predict', form('file', picture('spot.jpg'), 'text/plain'))).status).toBe(200));

  test('no file in the form: 422 as FastAPI said it, 400 as Django did', async () => {
    const wrong = form('picture', picture('spot.jpg'));
    wrong.set('note', 'text');
    expect((await post('/predict', wrong)).json).toEqual({
      detail: [{ type: 'missing', loc: ['body', 'file'], msg: 'Field required', input: null }],
      code: 'FILE_MISSING',
    });
    const { status, json } = await post(DIAGNOSIS, wrong);
    expect(status).toBe(400);
    expect(json).toEqual({ error: 'Image not provided', received_files: ['picture'], code: 'FILE_MISSING' });
    const text = new FormData();
    text.set('file', 'not a file');
    expect((await post('/predict', text)).status).toBe(422);
    expect((await post('/predict', new FormData())).status).toBe(422);
  });

  test('bodies that are no form', async () => {
    expect((await post('/predict', '{}')).kind).toMatch(/415 UNSUPPORTED_MEDIA_TYPE$/);
    expect((await post(DIAGNOSIS, null)).kind).toMatch(/415 UNSUPPORTED_MEDIA_TYPE$/);
    for (const [type, body] of [
      ['multipart/form-data', 'x'],
      ['multipart/form-data; boundary=x', 'no boundary in here'],
      ['multipart/form-data; boundary=x', ''],
      [
        'multipart/form-data; boundary=x',
        '--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\ncut',
      ],
    ] as const) {
      const init = { method: 'POST', body, headers: { 'content-type': type } };
      expect((await ask('/predict', init)).kind, body).toMatch(/400 MALFORMED_BODY$/);
    }
  });

  test('other methods: 405 with what is allowed', async () => {
    for (const [path, allow, methods] of [
      ['/', 'GET, HEAD', ['POST', 'PUT', 'DELETE', 'OPTIONS']],
      ['/health', 'GET, HEAD', ['POST', 'PATCH']],
      ['/predict', 'POST', ['GET', 'HEAD', 'PUT', 'OPTIONS']],
      [DIAGNOSIS, 'POST, OPTIONS', ['GET', 'DELETE']],
    ] as const)
      for (const method of methods) {
        const response = await createFetchHandler(classifier)(new Request(`http://localhost${path}`, { method }));
        expect([method, path, response.status, response.headers.get('allow')]).toEqual([method, path, 405, allow]);
      }
    expect((await ask(DIAGNOSIS)).json).toEqual({ error: 'Only POST allowed', code: 'METHOD_NOT_ALLOWED' });
    expect((await ask('/predict/')).kind).toBe('other other 404 NOT_FOUND');
    expect((await ask('/constructor')).kind).toBe('other other 404 NOT_FOUND');
    expect((await ask('/health', { method: 'HEAD' })).text).toBe('');
  });
});

describe('limits', () => {
  /** A form that goes on for ever, and how much of it was taken. */
  function endless(headers: Record<string, string> = {}) {
    let taken = 0;
    let cancelled = false;
    const head = '--x\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n';
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        const chunk = taken === 0 ? new TextEncoder().encode(head) : new Uint8Array(65_536);
        taken += chunk.length;
        controller.enqueue(chunk);
      },
      cancel: () => void (cancelled = true),
    });
    const init = {
      method: 'POST',
      body,
      duplex: 'half',
      headers: { 'content-type': 'multipart/form-data; boundary=x', ...headers },
    } as RequestInit;
    return { init, taken: () => taken, cancelled: () => cancelled };
  }

  test('a body without end is read no further than its limit', async () => {
    const source = endless();
    const { kind, json } = await ask('/predict', source.init, { maxFileBytes: 2 ** 20 });
    expect(kind).toBe('POST /predict 413 FILE_TOO_LARGE');
    expect(json.detail).toBe('File too large. Maximum size is 1MB');
    expect(source.taken()).toBeLessThan(2 ** 20 + 4 * 65_536);
    expect(source.cancelled()).toBe(true);
  });

  test.each([
    [10, '10MB'],
    [64, '64MB'],
    [15.9, '15MB'],
    [9.96, '9.9MB'],
    [2.5, '2.5MB'],
    [1, '1MB'],
    [0.7, '0.7MB'],
    [0.5, '0.5MB'],
    [0.05, '51KB'],
    [0.001, '1KB'],
    [0.00001, '10 bytes'],
  ])('a limit of %d MiB is told as %s', async (mebibytes, words) => {
    const maxFileBytes = Math.round(mebibytes * 2 ** 20);
    for (const path of ['predict', 'api/predict/skin-disease/']) {
      const told = (await refusal(path, 'FILE_TOO_LARGE', { maxFileBytes }).json()) as Record<string, string>;
      expect(told.detail ?? told.error).toBe(`File too large. Maximum size is ${words}`);
    }
  });

  test('a stated length that is too large is refused unread; one that is too small is not believed', async () => {
    const large = endless({ 'content-length': '99999999' });
    expect((await ask('/predict', large.init)).status).toBe(413);
    expect(large.taken()).toBeLessThan(2 * 65_536); // what a stream has ready by itself
    const small = endless({ 'content-length': '10' });
    expect((await ask('/predict', small.init, { maxFileBytes: 1000 })).status).toBe(413);
  });

  test('a file of one byte more is too large, one of the limit is not', async () => {
    const file = picture('spot.jpg');
    const ask1 = (maxFileBytes: number) => post('/predict', form('file', file), { maxFileBytes });
    expect((await ask1(file.length - 1)).status).toBe(413);
    expect((await ask1(file.length)).status).toBe(200);
  });

  test('an aborted request rejects as fetch does: before, while its body comes, while it is classified', async () => {
    const handle = createFetchHandler(classifier);
    const reason = new Error('gone');
    const request = (signal: AbortSignal) =>
      new Request('http://localhost/predict', { method: 'POST', body: form('file', picture('spot.jpg')), signal });
    await expect(handle(request(AbortSignal.abort(reason)))).rejects.toBe(reason);

    const whileSent = new AbortController();
    const never = new ReadableStream<Uint8Array>({ pull: () => new Promise(() => undefined) });
    const init = { method: 'POST', body: never, duplex: 'half', signal: whileSent.signal } as RequestInit;
    const pending = handle(
      new Request('http://localhost/predict', {
        ...init,
        headers: { 'content-type': 'multipart/form-data; boundary=x' },
      }),
    );
    setTimeout(() => whileSent.abort(reason), 20);
    await expect(pending).rejects.toBe(reason);

    const whileRun = new AbortController();
    let asked: AbortSignal | undefined;
    const running = createFetchHandler({
      model: classifier.model,
      classify: (file, options) => {
        asked = options.signal;
        queueMicrotask(() => whileRun.abort(reason));
        return classifier.classify(file, options);
      },
    })(request(whileRun.signal));
    await expect(running).rejects.toBe(reason);
    expect(asked?.aborted).toBe(true);
    // The classifier goes on.
    expect((await post('/predict', form('file', picture('spot.jpg')))).status).toBe(200);
  });

  test('a picture that takes too long', async () => {
    const slow: PictureClassifier = {
      model: classifier.model,
      classify: async (file, options) => {
        await new Promise((resolve) => setTimeout(resolve, 50));
        return classifier.classify(file, options);
      },
    };
    const { kind } = await post('/predict', form('file', picture('spot.jpg')), { source: slow, timeout: 10 });
    expect(kind).toBe('POST /predict 503 TIMED_OUT');
    await expectCode(classifier.classify(new Blob([]), { signal: AbortSignal.abort() }), 'ABORTED');
  });

  test('many at once, good and bad, each gets its own answer', async () => {
    const names = ['spot.jpg', 'corrupt.png', 'document.pdf', 'spot.png'];
    const asked = Array.from({ length: 40 }, (_, i) => names[i % names.length]!);
    const statuses = await Promise.all(
      asked.map(async (name) => (await post('/predict', form('file', picture(name)))).status),
    );
    expect(statuses).toEqual(asked.map((name) => ({ 'corrupt.png': 422, 'document.pdf': 400 })[name] ?? 200));
  });
});
