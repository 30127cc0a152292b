/**
 * `<dermlet-camera>`: the camera's live picture with a frame and hints, over the page. Fires `files` (detail `File[]`)
 * with a photo that is to be used, `instead` when a file is to be chosen, and `closed`. Nothing is stored; the camera
 * is stopped as soon as this is closed, hidden or removed.
 */
import { css, LitElement, nothing } from 'lit';
import { property, query, state } from 'lit/decorators.js';
import { say } from '../../messages/camera.js';
import { number } from '../../messages/index.js';
import { define, emit } from '../emit.js';
import { html } from '../html.js';
import { alertIcon, cameraIcon, closeIcon } from '../icons.js';
import type { Session } from '../session.js';
import { base, field } from '../styles.js';
import { Calm, type Hint, hintOf } from './hints.js';
import { allowedHere, type Cause, causeOf, frameIn, hasTorch, setTorch, takePhoto, wanted } from './stream.js';
import { causeWords, hintWords } from './words.js';

type View =
  | { kind: 'starting' }
  | { kind: 'live'; taking: boolean; failed: boolean }
  | { kind: 'taken'; file: File; url: string }
  | { kind: 'none'; cause: Cause };

/** Milliseconds between a check and the next. */
const EVERY = 500;
/** Pixels, the longer side of what is checked: more than any network sees. */
const SAMPLE_SIDE = 512;

export class DermletCamera extends LitElement {
  static override styles = [
    base,
    field,
    css`
      dialog {
        width: min(60rem, calc(100% - 2rem));
        max-width: none;
        max-height: calc(100% - 2rem);
        max-height: calc(100dvh - 2rem);
        padding: 1rem;
        border: 1px solid var(--edge);
        border-radius: 1.25rem;
        background: var(--paper);
        color: var(--ink);
        overflow: auto;
      }
      dialog::backdrop {
        background: var(--over-shade);
      }
      .top,
      .controls {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 0.6rem;
      }
      .top {
        flex-wrap: nowrap;
        justify-content: space-between;
        margin-bottom: 0.75rem;
      }
      h2 {
        font-family: var(--serif);
        font-size: 1.3rem;
        font-weight: 500;
        line-height: 1.25;
      }
      .close {
        flex: none;
        padding: 0.5rem;
        width: 2.75rem;
      }
      .picture {
        position: relative;
        display: grid;
        min-height: 8rem;
        border-radius: 0.9rem;
        background: var(--over-dark);
        overflow: clip;
      }
      video,
      img {
        display: block;
        width: 100%;
        height: auto;
        max-height: calc(100vh - 17rem);
        max-height: calc(100dvh - 17rem);
        min-height: 8rem;
        object-fit: contain;
      }
      .frame {
        position: absolute;
        inset: 0;
        width: 100%;
        height: 100%;
        pointer-events: none;
      }
      .frame .under {
        stroke: var(--over-dark);
        stroke-width: 5px;
      }
      .frame .over {
        stroke: var(--over-light);
        stroke-width: 2.5px;
      }
      .wait {
        position: absolute;
        inset: 0;
        display: grid;
        place-items: center;
        padding: 1rem;
        color: var(--over-light);
      }
      .hint {
        min-height: 3em;
        margin-block: 0.75rem;
        font-weight: 600;
        overflow-wrap: break-word;
      }
      .controls button,
      .controls select {
        flex: 1 1 auto;
        width: auto;
      }
      .controls label {
        display: flex;
        flex: 1 1 12rem;
        align-items: center;
        gap: 0.5rem;
        min-width: 0;
      }
      .none {
        display: grid;
        grid-template-columns: auto minmax(0, 1fr);
        gap: 0.35rem 0.75rem;
        margin-bottom: 1rem;
      }
      .none p {
        grid-column: 2;
      }
      .muted {
        margin-top: 0.75rem;
        color: var(--muted);
        font-size: 0.95rem;
      }
      @media (max-width: 46rem) {
        dialog {
          width: 100%;
          height: 100%;
          max-height: none;
          margin: 0;
          border: 0;
          border-radius: 0;
        }
      }
    `,
  ];

  @property({ attribute: false }) session: Session | null = null;
  @state() private view: View = { kind: 'starting' };
  @state() private hint: Hint = 'waiting';
  @state() private cameras: readonly MediaDeviceInfo[] = [];
  @state() private torch: boolean | null = null;
  /** Size of the live picture; it changes as the device is turned. */
  @state() private size: { width: number; height: number } | null = null;
  @query('dialog') private dialog!: HTMLDialogElement;
  @query('video') private video!: HTMLVideoElement | null;

  #stream: MediaStream | null = null;
  #deviceId: string | null = null;
  #calm = new Calm();
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Counts the starts: a stream that comes after the next, or after the end, is stopped. */
  #starts = 0;

  override connectedCallback(): void {
    super.connectedCallback();
    document.addEventListener('visibilitychange', this.#hidden);
    addEventListener('pagehide', this.#stop);
  }

  override disconnectedCallback(): void {
    document.removeEventListener('visibilitychange', this.#hidden);
    removeEventListener('pagehide', this.#stop);
    this.#stop();
    this.#forget();
    super.disconnectedCallback();
  }

  protected override firstUpdated(): void {
    this.dialog.showModal();
    void this.#start();
  }

  /** Only when it is another: a video begins anew with each assignment, also of the same stream. */
  protected override updated(): void {
    if (this.video && this.video.srcObject !== this.#stream) this.video.srcObject = this.#stream;
  }

  override render() {
    return html`<dialog aria-labelledby="title" @cancel=${this.#cancelled}>
      <div class="top">
        <h2 id="title">${say('camera.title')}</h2>
        <button type="button" class="close" aria-label=${say('camera.close')}
          @click=${this.#close}>${closeIcon}</button>
      </div>
      ${this.#content()}
      <p class="muted">${say('camera.stays')}</p>
    </dialog>`;
  }

  #content() {
    const { view } = this;
    switch (view.kind) {
      case 'none':
        return html`<div class="none" role="alert">${alertIcon}
            <h3>${causeWords(view.cause).title}</h3>
            <p>${causeWords(view.cause).help}</p>
          </div>
          <div class="controls">
            <button type="button" class="primary" @click=${this.#instead}>${say('camera.file')}</button>
            <button type="button" @click=${() => this.#start()}>${say('camera.retry')}</button>
          </div>`;
      case 'taken':
        return html`<div class="picture"><img src=${view.url} alt=${say('camera.taken')} /></div>
          <p class="hint"></p>
          <div class="controls">
            <button type="button" class="primary" id="use"
              @click=${() => this.#use(view.file)}>${say('camera.use')}</button>
            <button type="button" @click=${this.#again}>${say('camera.again')}</button>
          </div>`;
      default:
        return this.#live(view);
    }
  }

  #live(view: Extract<View, { kind: 'starting' | 'live' }>) {
    const live = view.kind === 'live';
    const words = () => {
      if (!live) return say('camera.starting');
      return view.failed ? say('camera.shootFailed') : hintWords(this.hint);
    };
    return html`<div class="picture">
        <video .muted=${true} playsinline autoplay aria-label=${say('camera.live')}
          @loadedmetadata=${this.#sized} @resize=${this.#sized}></video>
        ${live && this.size ? this.#frame(this.size) : nothing}
        ${live ? nothing : html`<p class="wait" aria-hidden="true">${say('camera.starting')}</p>`}
      </div>
      <p class="hint" role="status">${words()}</p>
      <div class="controls">
        <button type="button" class="primary" id="shoot" ?disabled=${!live || view.taking}
          @click=${() => this.#shoot()}>${cameraIcon}
          ${say(live && view.taking ? 'camera.taking' : 'camera.shoot')}</button>
        ${
          this.torch === null
            ? nothing
            : html`<button type="button" aria-pressed=${this.torch ? 'true' : 'false'}
                @click=${() => this.#light(!this.torch)}>${say('camera.light')}</button>`
        }
        ${this.cameras.length > 1 ? this.#choice() : nothing}
        <button type="button" @click=${this.#instead}>${say('camera.file')}</button>
      </div>`;
  }

  /** Drawn over the picture by the same rule of fitting as the picture itself. */
  #frame({ width, height }: { width: number; height: number }) {
    const { x, y, ...frame } = this.#framed(width, height);
    const rect = (kind: string) =>
      html`<svg class="frame" viewBox="0 0 ${width} ${height}" aria-hidden="true" fill="none">
        <rect class=${kind} x=${x} y=${y} width=${frame.width} height=${frame.height} rx=${frame.width / 40}
          vector-effect="non-scaling-stroke" /></svg>`;
    return html`${rect('under')}${rect('over')}`;
  }

  #framed(width: number, height: number) {
    const load = this.session?.load;
    return frameIn({ width, height }, (load?.kind === 'ready' ? load.model.cropShape : null) ?? null);
  }

  #choice() {
    return html`<label><span>${say('camera.choose')}</span>
      <select @change=${this.#chosen}>${this.cameras.map(
        ({ deviceId, label }, index) =>
          html`<option value=${deviceId} .selected=${deviceId === this.#deviceId}>${
            label || say('camera.unnamed', { number: number(index + 1) })
          }</option>`,
      )}</select></label>`;
  }

  readonly #sized = (): void => {
    const { videoWidth: width = 0, videoHeight: height = 0 } = this.video ?? {};
    this.size = width > 0 && height > 0 ? { width, height } : null;
    // Where it does not begin by itself. Refused: the hints stay away, and the shutter works all the same.
    void this.video?.play().catch(() => undefined);
  };

  async #start(): Promise<void> {
    this.#stop();
    const start = this.#starts;
    this.view = { kind: 'starting' };
    try {
      const stream = await navigator.mediaDevices.getUserMedia(wanted(this.#deviceId));
      if (start !== this.#starts) return halt(stream);
      this.#stream = stream;
      const [track] = stream.getVideoTracks();
      track!.addEventListener('ended', () => this.#lost(stream));
      this.#deviceId = track!.getSettings().deviceId ?? null;
      this.torch = hasTorch(track!) ? false : null;
      this.#calm = new Calm();
      this.hint = 'waiting';
      this.view = { kind: 'live', taking: false, failed: false };
      this.#next();
      const devices = await navigator.mediaDevices.enumerateDevices();
      this.cameras = devices.filter(({ kind }) => kind === 'videoinput');
    } catch (error) {
      if (start !== this.#starts) return;
      this.#stop();
      this.view = { kind: 'none', cause: causeOf(error, allowedHere()) };
    }
  }

  /** Unplugged, or taken away: what was started here ends without this event. */
  #lost(stream: MediaStream): void {
    if (stream !== this.#stream) return;
    this.#stop();
    if (this.view.kind !== 'taken') this.view = { kind: 'none', cause: 'failed' };
  }

  readonly #stop = (): void => {
    this.#starts += 1;
    clearTimeout(this.#timer);
    if (this.#stream) halt(this.#stream);
    this.#stream = null;
    this.torch = null;
    this.size = null;
  };

  readonly #hidden = (): void => {
    if (document.hidden) this.#stop();
    else if (this.view.kind === 'live' || this.view.kind === 'starting') void this.#start();
  };

  #next(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#check(), EVERY);
  }

  /** One at a time: the next is asked for when this has been answered. */
  async #check(): Promise<void> {
    const start = this.#starts;
    const pixels = this.#sample();
    // Without an answer the last hint stays: the shutter works all the same.
    const quality = pixels && (await this.session?.check(pixels).catch(() => null));
    if (start !== this.#starts) return;
    if (quality) this.hint = this.#calm.next(hintOf(quality.checks), performance.now());
    this.#next();
  }

  /** What is framed, small. */
  #sample(): ImageData | null {
    const { video, size } = this;
    if (!video || !size || this.view.kind !== 'live') return null;
    const { x, y, width, height } = this.#framed(size.width, size.height);
    const scale = Math.min(1, SAMPLE_SIDE / Math.max(width, height));
    const canvas = new OffscreenCanvas(Math.round(width * scale), Math.round(height * scale));
    const context = canvas.getContext('2d', { willReadFrequently: true })!;
    context.drawImage(video, x, y, width, height, 0, 0, canvas.width, canvas.height);
    return context.getImageData(0, 0, canvas.width, canvas.height);
  }

  async #shoot(): Promise<void> {
    const [track] = this.#stream?.getVideoTracks() ?? [];
    if (!track || !this.video) return;
    const start = this.#starts;
    this.view = { kind: 'live', taking: true, failed: false };
    try {
      const blob = await takePhoto(track, this.video);
      if (start !== this.#starts) return;
      this.#stop();
      const file = new File([blob], say('camera.photoName'), { type: blob.type, lastModified: Date.now() });
      this.view = { kind: 'taken', file, url: URL.createObjectURL(file) };
      await this.updateComplete;
      this.renderRoot.querySelector<HTMLElement>('#use')?.focus();
    } catch {
      if (start === this.#starts) this.view = { kind: 'live', taking: false, failed: true };
    }
  }

  async #light(on: boolean): Promise<void> {
    const [track] = this.#stream?.getVideoTracks() ?? [];
    if (!track) return;
    try {
      await setTorch(track, on);
      if (this.torch !== null) this.torch = on;
    } catch {
      this.torch = null; // it cannot be switched after all
    }
  }

  readonly #chosen = (event: Event): void => {
    this.#deviceId = (event.target as HTMLSelectElement).value;
    void this.#start();
  };

  readonly #again = async (): Promise<void> => {
    this.#forget();
    await this.#start();
    await this.updateComplete;
    this.renderRoot.querySelector<HTMLElement>('#shoot')?.focus();
  };

  /** The photo that was taken and not used. */
  #forget(): void {
    if (this.view.kind === 'taken') URL.revokeObjectURL(this.view.url);
    this.view = { kind: 'starting' };
  }

  #use(file: File): void {
    this.#close();
    emit(this, 'files', [file]);
  }

  readonly #instead = (): void => {
    this.#close();
    emit(this, 'instead', null);
  };

  readonly #cancelled = (event: Event): void => {
    event.preventDefault();
    this.#close();
  };

  /** The focus goes back to where it was. */
  readonly #close = (): void => {
    this.#stop();
    this.dialog.close();
    emit(this, 'closed', null);
  };
}

function halt(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}

define('dermlet-camera', DermletCamera);

export const create = (): DermletCamera => new DermletCamera();
