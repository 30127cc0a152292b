/** Reads what a page says to its frame: nothing is taken of a message that is not wholly as the protocol has it. */
import { isModelName } from '../classifier/index.js';
import type { FrameConfiguration, ToFrame } from '../embed/index.js';

const THEMES: ReadonlySet<unknown> = new Set(['light', 'dark', '']);

const isText = (value: unknown, form: RegExp): boolean => typeof value === 'string' && form.test(value);

/** What each field of a configuration may hold. */
const FIELDS: Readonly<Record<keyof FrameConfiguration, (value: unknown) => boolean>> = {
  // Never an address: the page around must not bring a network of its own.
  model: (value) => value === '' || (typeof value === 'string' && value.length <= 64 && isModelName(value)),
  modality: (value) => isText(value, /^[\w-]{0,64}$/),
  language: (value) => isText(value, /^[A-Za-z\d-]{2,35}$/),
  theme: (value) => THEMES.has(value),
  photo: (value) => typeof value === 'boolean',
  required: (value) => typeof value === 'boolean',
};

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isConfiguration = (value: unknown): boolean =>
  isRecord(value) &&
  Object.entries(value).every(
    ([name, held]) => Object.hasOwn(FIELDS, name) && FIELDS[name as keyof FrameConfiguration](held),
  );

/** The fields of each message, beside `dermlet` and `type`: all of them, and no others. */
const MESSAGES: Readonly<Record<ToFrame['type'], Readonly<Record<string, (value: unknown) => boolean>>>> = {
  hello: { configuration: isConfiguration },
  configure: { configuration: isConfiguration },
  collect: { id: Number.isSafeInteger },
  reset: {},
};

const isType = (value: unknown): value is ToFrame['type'] =>
  typeof value === 'string' && Object.hasOwn(MESSAGES, value);

/** A message, or why it is refused; null: it is none of this protocol, and nobody answers it. */
export function read(data: unknown): ToFrame | 'VERSION' | 'MALFORMED' | null {
  if (!isRecord(data) || !('dermlet' in data)) return null;
  const { dermlet, type, ...fields } = data;
  if (dermlet !== 1) return 'VERSION';
  if (!isType(type)) return 'MALFORMED';
  const checks = MESSAGES[type];
  const names = Object.keys({ ...checks, ...fields });
  return names.every((name) => Object.hasOwn(checks, name) && checks[name]!(fields[name]))
    ? (data as unknown as ToFrame)
    : 'MALFORMED';
}

/** Whether it is the origin of a page, written as browsers write it; `http` on this device alone. */
function isOrigin(text: unknown): text is string {
  if (typeof text !== 'string' || !URL.canParse(text)) return false;
  const { origin, protocol, hostname } = new URL(text);
  const own = /^(localhost|127\.0\.0\.1|\[::1\])$/.test(hostname);
  return text === origin && !hostname.includes('*') && (protocol === 'https:' || (protocol === 'http:' && own));
}

/**
 * The origins that `embed.json` names.
 * @throws Error where it is not as it has to be: then nobody is named
 */
export function originsIn(text: string): readonly string[] {
  const value: unknown = JSON.parse(text);
  if (!isRecord(value) || value.embedVersion !== 1 || !Array.isArray(value.origins))
    throw new Error('embed.json is not { "embedVersion": 1, "origins": [...] }');
  const wrong = value.origins.find((origin) => !isOrigin(origin));
  if (wrong !== undefined)
    throw new Error(`embed.json: ${JSON.stringify(wrong)} is no origin such as https://a.example`);
  return value.origins;
}
