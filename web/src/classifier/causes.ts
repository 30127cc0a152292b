/**
 * Why a script did not come that the browser fetches by itself: a module or a worker. Browsers say next to nothing of
 * it, so it is looked at from here: where the page came from, what its policy forbade, what the server answers.
 */
import { messageOf } from './abort.js';
import { DermletError } from './errors.js';
import { inside } from './inside.js';
import { LIMITS } from './limits.js';
import { within } from './within.js';

/** Where this code runs; tests give another. */
export interface Surroundings {
  readonly protocol: string;
  /** `null`: opaque, as in a sandboxed frame. */
  readonly origin: string;
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
}

const here = (): Surroundings => ({
  protocol: globalThis.location?.protocol ?? '',
  origin: globalThis.origin ?? '',
  fetch: (url, init) => within(fetch(url, init), LIMITS.explanation, 'The server'),
});

/** Addresses that the page's policy has forbidden; `blob` and the like where a browser says no more. */
const forbidden = new Set<string>();
globalThis.addEventListener?.('securitypolicyviolation', (event) => {
  const { blockedURI, disposition, effectiveDirective } = event as SecurityPolicyViolationEvent;
  if (disposition === 'enforce') forbidden.add(blockedURI || effectiveDirective);
});

const JAVASCRIPT = /^(text|application)\/(x-)?(java|ecma)script\b/i;

/** Whether an error is that of a module or worker which did not come, in the words of any browser. */
export const isMissingScript = (error: unknown): boolean =>
  /dynamically imported module|importing a module script|error loading|module script failed/i.test(messageOf(error));

/** Where nothing of the engine can be started; undefined elsewhere. A program that is one file is at home anywhere. */
export function hopelessPlace({ protocol, origin }: Surroundings = here()): DermletError | undefined {
  if (inside) return undefined;
  if (protocol === 'file:')
    return new DermletError('OPENED_AS_FILE', 'The page was opened from a file:// address; it needs a web server.');
  if (origin === 'null')
    return new DermletError('SANDBOXED', 'The page has an opaque origin, as in a sandbox without allow-same-origin.');
  return undefined;
}

/**
 * @param script its address, absolute
 * @param cause the browser's error
 * @returns PART_MISSING, WRONG_MEDIA_TYPE, CROSS_ORIGIN, POLICY_BLOCKED, SANDBOXED, OPENED_AS_FILE; MODEL_UNAVAILABLE
 * where the network failed, or where nothing is found wrong
 */
export async function whyMissing(
  script: string,
  cause: unknown,
  surroundings: Surroundings = here(),
): Promise<DermletError> {
  const error = (code: DermletError['code'], why: string) => new DermletError(code, `${script}: ${why}`, { cause });
  const hopeless = hopelessPlace(surroundings);
  if (hopeless) return hopeless;
  if (/trusted ?(types?|script)/i.test(messageOf(cause)))
    return error('POLICY_BLOCKED', 'Trusted Types of the page forbid to start it.');
  const elsewhere = new URL(script).origin !== surroundings.origin;
  if ([script, ...(elsewhere ? [new URL(script).origin] : [])].some((address) => forbidden.has(address)))
    return error('POLICY_BLOCKED', 'the page’s Content-Security-Policy forbids to start it.');
  let response: Response;
  try {
    response = await surroundings.fetch(script, { credentials: 'same-origin' });
  } catch (failed) {
    if (elsewhere && (await answers(script, surroundings)))
      return error('CROSS_ORIGIN', `it is on another origin, which does not let ${surroundings.origin} have it.`);
    return error('MODEL_UNAVAILABLE', `it could not be fetched: ${messageOf(failed)}`);
  }
  void response.body?.cancel();
  const type = response.headers.get('content-type') ?? '';
  if (response.status === 404 || response.status === 410)
    return error('PART_MISSING', `the server answered ${response.status}.`);
  if (!response.ok) return error('MODEL_UNAVAILABLE', `the server answered ${response.status}.`);
  if (/^text\/html\b/i.test(type)) return error('PART_MISSING', 'the server sent an HTML page in its place.');
  if (!JAVASCRIPT.test(type))
    return error('WRONG_MEDIA_TYPE', `the server calls it '${type}', which browsers do not run as a script.`);
  if ([...forbidden].some((what) => /^(blob|worker-src|script-src|require-trusted-types-for)/.test(what)))
    return error('POLICY_BLOCKED', 'the page’s Content-Security-Policy forbids to start it.');
  return error('MODEL_UNAVAILABLE', `it could not be started: ${messageOf(cause)}`);
}

/** Whether the server answers at all; what it says stays hidden. */
const answers = (address: string, { fetch }: Surroundings): Promise<boolean> =>
  fetch(address, { mode: 'no-cors', credentials: 'omit' }).then(
    () => true,
    () => false,
  );

/** The same for a file that this code fetches itself; undefined where the network is to blame. */
export async function whyNotFetched(
  address: string,
  cause: unknown,
  surroundings: Surroundings = here(),
): Promise<DermletError | undefined> {
  const { origin } = surroundings;
  const hopeless = hopelessPlace(surroundings);
  if (hopeless) return hopeless;
  if (origin === '' || !URL.canParse(address) || new URL(address).origin === origin) return undefined;
  if (forbidden.has(address) || forbidden.has(new URL(address).origin))
    return new DermletError('POLICY_BLOCKED', `${address}: the page’s Content-Security-Policy forbids it.`, { cause });
  if (!(await answers(address, surroundings))) return undefined;
  return new DermletError('CROSS_ORIGIN', `${address} is on another origin, which does not let ${origin} have it.`, {
    cause,
  });
}
