/**
 * The client of `embed.html`: shows it in a frame and talks to it (`protocol.ts`).
 *
 *     import { createFrame } from 'dermlet/embed';
 *     const frame = createFrame(document.querySelector('#skin'), { src: 'https://dermlet.example.org/embed.html' });
 *     frame.addEventListener('result', ({ detail }) => console.log(detail.document.result.tier));
 *
 * The frame speaks only to origins that its site's owner has named in `embed.json`; to others it never answers.
 */
import type { Collected, FrameConfiguration, FromFrame, ToFrame } from './protocol.js';

export type { Collected, FrameConfiguration, FromFrame, RefusalReason, ToFrame } from './protocol.js';

export interface FrameOptions extends FrameConfiguration {
  /** Address of the site's `embed.html`. */
  src: string | URL;
  /** What assistive technology calls the frame. Default: `Dermlet`. */
  title?: string;
  /** Milliseconds for each answer of the frame, after which it is awaited no longer. Default: 20,000. */
  timeout?: number;
}

/**
 * `TIMEOUT`: no answer: the site is not reached, or its owner has not named this origin. `REFUSED`: the frame does not
 * understand this client. `INCOMPLETE`: something is to be done in the frame first; `message` says what, in its
 * language. `DESTROYED`: the frame is gone.
 */
export type FrameErrorCode = 'TIMEOUT' | 'REFUSED' | 'INCOMPLETE' | 'DESTROYED';

export class FrameError extends Error {
  override readonly name = 'FrameError';
  constructor(
    readonly code: FrameErrorCode,
    message: string,
  ) {
    super(message);
  }
}

type Detail<Type extends FromFrame['type']> = CustomEvent<Extract<FromFrame, { type: Type }>>;

export interface FrameEvents {
  /** The frame listens; again after it was loaded anew, when it has forgotten all that was chosen in it. */
  ready: Detail<'ready'>;
  /** The neural network can be used. */
  model: Detail<'model'>;
  /** A photo was answered. */
  result: Detail<'result'>;
  /** A photo or the model failed. */
  error: Detail<'error'>;
  /** The frame's content has another height, in CSS pixels. The frame follows it. */
  resize: Detail<'resize'>;
  /** A message was none of the protocol's. */
  refused: Detail<'refused'>;
}

export interface DermletFrame {
  readonly element: HTMLIFrameElement;
  /** Rejects with a `FrameError`, and then for good, although the frame may answer later: `collect` waits anew. */
  readonly ready: Promise<void>;
  addEventListener<Type extends keyof FrameEvents>(
    type: Type,
    listener: (event: FrameEvents[Type]) => void,
    options?: AddEventListenerOptions,
  ): void;
  removeEventListener<Type extends keyof FrameEvents>(type: Type, listener: (event: FrameEvents[Type]) => void): void;
  configure(configuration: FrameConfiguration): void;
  /** What was filled in. Waits until the frame listens, then for its answer. Rejects with a `FrameError`. */
  collect(): Promise<Collected>;
  /** Forgets photos, answers and consent. */
  reset(): void;
  /** Removes the frame; everything in it ends and is forgotten. */
  destroy(): void;
}

interface Waiting {
  resolve(collected: Collected): void;
  reject(error: FrameError): void;
}

/** Shows Dermlet in `container`. */
export function createFrame(container: Element, options: FrameOptions): DermletFrame {
  const { src, title = 'Dermlet', timeout = 20_000, ...first } = options;
  let configuration: FrameConfiguration = first;
  const address = new URL(src, document.baseURI);
  const events = new EventTarget();
  const waiting = new Map<number, Waiting>();
  let port: MessagePort | undefined;
  let last = 0;
  const element = document.createElement('iframe');
  Object.assign(element, { title, allow: 'camera', referrerPolicy: 'origin' });
  element.style.cssText = 'display:block;width:100%;height:40rem;border:0';

  /** Until this load's `hello` is answered, however long that takes. */
  let greeted!: Promise<void>;
  let answered = false;
  let open = () => {};
  let fail = (_: FrameError) => {};
  function greet(): void {
    answered = false;
    greeted = new Promise((resolve, reject) => {
      open = resolve;
      fail = reject;
    });
    const settle = () => {
      answered = true;
    };
    greeted.then(settle, settle);
  }

  function inTime<T>(promise: Promise<T>): Promise<T> {
    let timer: ReturnType<typeof setTimeout>;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new FrameError('TIMEOUT', `${address.origin} did not answer`)), timeout);
    });
    return Promise.race([promise, late]).finally(() => clearTimeout(timer));
  }

  greet();
  const ready = inTime(greeted);
  ready.catch(() => {}); // who waits for it hears of it

  const send = (message: ToFrame) => port?.postMessage(message);

  function hear({ data }: MessageEvent<FromFrame>): void {
    if (data?.dermlet !== 1) return;
    if (data.type === 'ready') open();
    if (data.type === 'refused') fail(new FrameError('REFUSED', data.reason));
    if (data.type === 'resize') element.style.height = `${data.height}px`;
    if (data.type === 'collected') waiting.get(data.id)?.resolve(data.collected);
    else if (data.type === 'incomplete') waiting.get(data.id)?.reject(new FrameError('INCOMPLETE', data.message));
    else events.dispatchEvent(new CustomEvent(data.type, { detail: data }));
  }

  function end(error: FrameError): void {
    port?.close();
    port = undefined;
    for (const { reject } of waiting.values()) reject(error);
  }

  // Also when the frame is loaded anew. Another page than the site's gets nothing.
  element.addEventListener('load', () => {
    end(new FrameError('DESTROYED', 'the frame was loaded anew'));
    if (answered) greet();
    const channel = new MessageChannel();
    port = channel.port1;
    port.onmessage = hear;
    const hello: ToFrame = { dermlet: 1, type: 'hello', configuration };
    element.contentWindow?.postMessage(hello, address.origin, [channel.port2]);
  });
  element.src = address.href;
  container.append(element);

  return {
    element,
    ready,
    addEventListener: (type: string, listener: unknown, how?: AddEventListenerOptions) =>
      events.addEventListener(type, listener as EventListener, how),
    removeEventListener: (type: string, listener: unknown) =>
      events.removeEventListener(type, listener as EventListener),
    configure(change) {
      configuration = { ...configuration, ...change };
      send({ dermlet: 1, type: 'configure', configuration: change });
    },
    async collect() {
      await inTime(greeted);
      const id = ++last;
      const collected = new Promise<Collected>((resolve, reject) => {
        waiting.set(id, { resolve, reject });
        if (!port || !element.isConnected) reject(new FrameError('DESTROYED', 'the frame is gone'));
        send({ dermlet: 1, type: 'collect', id });
      });
      return inTime(collected).finally(() => waiting.delete(id));
    },
    reset: () => send({ dermlet: 1, type: 'reset' }),
    destroy() {
      const error = new FrameError('DESTROYED', 'the frame is gone');
      fail(error);
      end(error);
      element.remove();
    },
  };
}
