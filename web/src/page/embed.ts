/**
 * `embed.html`, the page in a frame of a portal. It starts only where every page around it is of an origin that this
 * site's owner has named in `embed.json`, and speaks only to the one directly around it, through the port that came
 * with its `hello` (`embed/protocol.ts`). What it says never holds the name of a file, and a photo only if that was
 * asked for and the person ticked the box.
 */
import { type DermletError, withoutImages } from '../classifier/index.js';
import type { DermletClassifier, DermletFormDocument } from '../element/index.js';
import type { FrameConfiguration, FromFrame } from '../embed/index.js';
import { setLanguage } from '../messages/index.js';
import { begin } from './begin.js';
import { originsIn, read } from './embed-messages.js';
import { isFramedByStranger, refuseFrame } from './framed.js';
import { speakAsChosen } from './language.js';

/** Names of the fields that `collect` reads. */
const [RESULT, PHOTO] = ['result', 'photo'];
const VERSIONS = [1];

const form = document.querySelector('form')!;
const element = document.querySelector<DermletClassifier>('dermlet-classifier')!;
/** What came before it was known whom to answer. */
const early: MessageEvent[] = [];
const keepEarly = (event: MessageEvent) => void early.push(event);
addEventListener('message', keepEarly);

/** Nobody, where the file is missing or wrong. */
async function namedOrigins(): Promise<readonly string[]> {
  try {
    const response = await fetch('./embed.json', { cache: 'no-cache' });
    if (!response.ok) throw new Error(`embed.json: ${response.status}`);
    return originsIn(await response.text());
  } catch (error) {
    console.info('Dermlet shows itself in no frame:', error);
    return [];
  }
}

function apply({ model, modality, language, theme, photo, required }: FrameConfiguration): void {
  if (model !== undefined) element.model = model;
  if (modality !== undefined) element.modality = modality;
  if (photo !== undefined) element.submitPhoto = photo ? PHOTO! : '';
  if (required !== undefined) element.required = required;
  if (theme === '') delete document.documentElement.dataset.theme;
  else if (theme !== undefined) document.documentElement.dataset.theme = theme;
  if (language !== undefined) void setLanguage([language]);
}

/** Says to the page around what happens here, and does what it asks for. */
function serve(port: MessagePort, origin: string): void {
  const say = (message: FromFrame) => port.postMessage(message);
  element.framedBy = origin;
  element.name = RESULT!;
  form.addEventListener('submit', (event) => event.preventDefault());
  element.addEventListener('dermlet-ready', ({ detail: { model } }) => say({ dermlet: 1, type: 'model', model }));
  element.addEventListener('dermlet-result', ({ detail: { result } }) => {
    const at = element.loader?.photos.flatMap(({ state }) =>
      state.kind === 'done' && state.result === result ? [state.at] : [],
    )[0];
    const classifiedAt = new Date(at ?? Date.now()).toISOString();
    const document = { documentVersion: 1, classifiedAt, result: withoutImages(result), photo: null } as const;
    say({ dermlet: 1, type: 'result', document });
  });
  element.addEventListener('dermlet-error', ({ detail: { error, name } }) => {
    const { code, message }: DermletError = error;
    say({ dermlet: 1, type: 'error', about: name === null ? 'model' : 'photo', code, message });
  });
  new ResizeObserver(() => {
    say({ dermlet: 1, type: 'resize', height: Math.ceil(document.body.getBoundingClientRect().height) });
  }).observe(document.body);
  port.onmessage = async ({ data }: MessageEvent<unknown>) => {
    const message = read(data);
    if (message === 'VERSION' || message === 'MALFORMED')
      say({ dermlet: 1, type: 'refused', reason: message, versions: VERSIONS });
    else if (message?.type === 'configure') apply(message.configuration);
    else if (message?.type === 'reset') form.reset();
    else if (message?.type === 'collect') {
      await element.formSettled();
      say(collected(message.id));
    }
  };
  say({ dermlet: 1, type: 'ready' });
}

function collected(id: number): FromFrame {
  if (!element.reportValidity()) return { dermlet: 1, type: 'incomplete', id, message: element.validationMessage };
  const fields = new FormData(form);
  const documents = fields.getAll(RESULT!).map((text) => JSON.parse(String(text)) as DermletFormDocument);
  const photos = fields.getAll(PHOTO!).filter((field) => field instanceof File);
  return { dermlet: 1, type: 'collected', id, collected: { documents, photos } };
}

/** Waits for the first `hello` of the page directly around this one; nobody else is answered, whatever they say. */
function listen(named: readonly string[]): void {
  let served = false;
  const hear = ({ source, origin, ports, data }: MessageEvent<unknown>) => {
    const [port] = ports;
    if (served || source !== parent || !(origin === location.origin || named.includes(origin)) || !port) return;
    const message = read(data);
    if (message === 'VERSION' || message === 'MALFORMED')
      port.postMessage({ dermlet: 1, type: 'refused', reason: message, versions: VERSIONS } satisfies FromFrame);
    if (typeof message !== 'object' || message?.type !== 'hello') return;
    served = true;
    apply(message.configuration);
    serve(port, origin);
  };
  removeEventListener('message', keepEarly);
  early.forEach(hear);
  addEventListener('message', hear);
}

if (window === top) {
  document.querySelector<HTMLElement>('#alone')!.hidden = false;
  removeEventListener('message', keepEarly);
  await speakAsChosen();
} else {
  const named = await namedOrigins();
  await speakAsChosen();
  if (isFramedByStranger(named)) {
    removeEventListener('message', keepEarly);
    refuseFrame();
  } else {
    void begin(element);
    form.hidden = false;
    listen(named);
  }
}
