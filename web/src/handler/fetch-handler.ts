/**
 * The retired servers' interfaces as a function from a Fetch API `Request` to a `Response`: for a page or a server of
 * Node. `docs/openapi.json` describes every answer.
 *
 * | request | answer |
 * |---|---|
 * | `GET /` | what there is |
 * | `GET /health` | whether a model is loaded, and its classes; 503 without one |
 * | `POST /predict`, multipart `file` | `PredictAnswer`, or the earlier shape |
 * | `POST /api/predict/skin-disease/`, multipart `image` | `DiagnosisAnswer` |
 * | `OPTIONS /api/predict/skin-disease/` | `{"status":"ok"}` |
 */
import type { ErrorCode, ModelInfo, Result } from '../classifier/index.js';
import { FormError, fileIn } from './form.js';
import { noClassification, toDiagnosis, toEarlierPredict, toPredict } from './projections.js';
import {
  DIAGNOSIS_PATH,
  HEALTH_PATH,
  json,
  PREDICT_PATH,
  type RefusalCode,
  type RefusalDetails,
  refusal,
} from './refusals.js';

/** What the handler needs of a classifier: that of a page, that of Node, or several behind one queue. */
export interface PictureClassifier {
  readonly model: Pick<ModelInfo, 'classes'>;
  classify(picture: Blob, options: { signal: AbortSignal }): Promise<Result>;
}

/** Nothing while none is loaded; it may also throw then. Asked for each request. */
export type ClassifierSource = () => PictureClassifier | null | undefined | Promise<PictureClassifier | null>;

export interface FetchHandlerOptions {
  /** Path below which the interfaces lie, with a slash at its end. Default `/`. */
  base?: string;
  /**
   * Adds what the FastAPI server's later version answered: `risk_level`, `clinical_priority`, `medical_warning`,
   * `requires_urgent_evaluation`. Default false.
   */
  later?: boolean;
  /** Largest file in bytes. Default 10 MiB, as the retired server had. */
  maxFileBytes?: number;
  /** Milliseconds for one picture, with its time in a queue; 0: no limit. Default 0. */
  timeout?: number;
}

export type FetchHandler = (request: Request) => Promise<Response>;

export const DEFAULT_MAX_FILE_BYTES = 10 * 2 ** 20;

const INDEX = {
  message: 'Skin Disease Classification API',
  endpoints: {
    predict: '/predict (POST) - Upload image for prediction',
    health: '/health (GET) - Check API health',
  },
};

/** Seconds after which a client may look whether a model is loaded by now. */
const LOADED_AFTER = 5;

/** Those that the picture is the reason of. */
const OF_PICTURE: Partial<Record<ErrorCode, RefusalCode>> = {
  UNSUPPORTED_FORMAT: 'UNSUPPORTED_FORMAT',
  CORRUPT_IMAGE: 'CORRUPT_IMAGE',
  UNREADABLE_FILE: 'CORRUPT_IMAGE',
  IMAGE_TOO_LARGE: 'IMAGE_TOO_LARGE',
};

/** Those that another request may have as well: something is not there. */
const NOT_THERE: readonly ErrorCode[] = [
  'DECODER_UNAVAILABLE',
  'MODEL_UNAVAILABLE',
  'MODEL_CORRUPT',
  'MODEL_TOO_NEW',
  'PART_MISSING',
  'DISPOSED',
];

/** The code of a classifier's error. By name: a package may hold its class more than once. */
const codeOf = (error: unknown): ErrorCode | undefined =>
  error instanceof Error && error.name === 'DermletError' ? (error as Error & { code: ErrorCode }).code : undefined;

const retried = (code: RefusalCode): RefusalDetails =>
  code === 'MODEL_NOT_LOADED' ? { retryAfter: LOADED_AFTER } : {};

/** One request's limits: its own signal, and the time that a picture has. */
function limited({ signal }: Request, timeout: number): { signal: AbortSignal; late: () => boolean } {
  if (timeout <= 0) return { signal, late: () => false };
  const late = AbortSignal.timeout(timeout);
  return { signal: AbortSignal.any([signal, late]), late: () => late.aborted && !signal.aborted };
}

/**
 * @param classifier null while no model is loaded; a function where that changes
 * @returns Rejects only with the reason of a request's own signal, as `fetch` does
 * @example
 * const handle = createFetchHandler(await Classifier.load('skin-8'));
 * const form = new FormData();
 * form.set('file', photo);
 * const response = await handle(new Request('https://localhost/predict', { method: 'POST', body: form }));
 */
export function createFetchHandler(
  classifier: PictureClassifier | ClassifierSource | null,
  { base = '/', later = false, maxFileBytes = DEFAULT_MAX_FILE_BYTES, timeout = 0 }: FetchHandlerOptions = {},
): FetchHandler {
  const loaded = async (): Promise<PictureClassifier | null> => {
    if (typeof classifier !== 'function') return classifier;
    try {
      return (await classifier()) ?? null;
    } catch {
      return null;
    }
  };

  async function classify(request: Request, path: string, field: string, answer: (result: Result) => object) {
    const own = await loaded();
    if (!own) {
      await request.body?.cancel().catch(() => undefined);
      return refusal(path, 'MODEL_NOT_LOADED', retried('MODEL_NOT_LOADED'));
    }
    let late = () => false;
    try {
      const file = await fileIn(request, field, maxFileBytes);
      const limit = limited(request, timeout);
      late = limit.late;
      return json(answer(await own.classify(file, { signal: limit.signal })));
    } catch (error) {
      request.signal.throwIfAborted();
      if (error instanceof FormError) return refusal(path, error.code, { maxFileBytes, received: error.received });
      if (late()) return refusal(path, 'TIMED_OUT', { retryAfter: LOADED_AFTER });
      const code = codeOf(error);
      const known = code && (OF_PICTURE[code] ?? (NOT_THERE.includes(code) ? 'MODEL_NOT_LOADED' : undefined));
      return refusal(path, known ?? 'PREDICTION_FAILED', known ? retried(known) : {});
    }
  }

  async function health(): Promise<Response> {
    const own = await loaded();
    if (!own)
      return json({ status: 'unhealthy', model_loaded: false, available_classes: [] }, 503, {
        'Retry-After': String(LOADED_AFTER),
      });
    return json({
      status: 'healthy',
      model_loaded: true,
      available_classes: own.model.classes.map(({ name }) => name),
    });
  }

  const predict = later ? toPredict : toEarlierPredict;
  const routes: Record<string, Record<string, (request: Request) => Promise<Response>>> = {
    '': { GET: async () => json(INDEX) },
    [HEALTH_PATH]: { GET: health },
    [PREDICT_PATH]: {
      POST: (request) =>
        classify(request, PREDICT_PATH, 'file', (result) => ({ ...predict(result), ...noClassification(result) })),
    },
    [DIAGNOSIS_PATH]: {
      POST: (request) =>
        classify(request, DIAGNOSIS_PATH, 'image', (result) => ({
          ...toDiagnosis(result),
          ...noClassification(result),
        })),
      OPTIONS: async () => json({ status: 'ok' }),
    },
  };

  return async (request) => {
    request.signal.throwIfAborted();
    const { pathname } = new URL(request.url);
    const path = pathname.startsWith(base) ? pathname.slice(base.length) : undefined;
    const methods = path !== undefined && Object.hasOwn(routes, path) ? routes[path] : undefined;
    if (path === undefined || methods === undefined) return refusal('', 'NOT_FOUND');
    const method = request.method === 'HEAD' ? 'GET' : request.method;
    const answer = Object.hasOwn(methods, method) ? methods[method] : undefined;
    if (answer) {
      const response = await answer(request);
      return request.method === 'HEAD' ? new Response(null, response) : response;
    }
    const allow = Object.keys(methods).flatMap((name) => (name === 'GET' ? ['GET', 'HEAD'] : [name]));
    return refusal(path, 'METHOD_NOT_ALLOWED', { allow: allow.join(', ') });
  };
}
