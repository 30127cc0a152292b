/**
 * `<dermlet-classifier model="skin-8">`: choose, drop or paste photos of skin and see how the network scores them.
 *
 * Attributes: `model` (a name from `listModels`, or the address of a model's folder relative to the document; default:
 * the list's default), `asset-base` (folder of the engine's files, relative to the document; default: where this code
 * was served from), `backend` (auto | wasm | webgpu), `modality` (of new photos; default: told by each), `load`
 * (`interest`: downloads start when a person points at, focuses or drops on the element; `now`: immediately),
 * `whole-page` (accept drops and pastes anywhere on the page), `category-pages` (folder with a page about each
 * category, `<id>.html`; none: no links), `doctor-search` (an https address where to look for a doctor, opened on a
 * tap only; none: no link), `card-pages` (names of the models whose cards are pages in that folder,
 * `card-<name>.html`). In a form: `name`, `required`, `disabled` and `submit-photo` (`in-form.ts`).
 * Changing `model`, `head` or `backend` aborts loading and running work; the photos stay, their results are discarded,
 * and they are classified again. Events, which cross shadow boundaries: `dermlet-ready`, `dermlet-result`,
 * `dermlet-error`.
 */
import { css, LitElement, nothing, type PropertyValues } from 'lit';
import { property, state } from 'lit/decorators.js';
import type { BackendChoice, Crop, DermletError, ErrorCode, ModelFiles, Result } from '../classifier/index.js';
import { imported, nextTask } from '../classifier/inner.js';
import { html } from './html.js';
import './details-panel.js';
import './load-progress.js';
import './modality.js';
import './notice.js';
import './photo-view.js';
import './picker.js';
import './result-card.js';
import './scores-card.js';
import './shelf.js';
import './tools.js';
import {
  allWords,
  doctor,
  errorWords,
  isolated,
  language,
  purpose,
  readyFormats,
  STAGES,
  say,
  stageWords,
  tierWords,
  verdict,
} from '../messages/index.js';
import type { DermletCamera } from './camera/index.js';
import { pagesIn } from './card.js';
import { filesIn, holdsFiles } from './dropped.js';
import { focused } from './focused.js';
import { InForm } from './in-form.js';
import { anyKept } from './kept.js';
import { medical } from './medical.js';
import type { DermletClassifierEvents, DermletClassifierProperties } from './public.js';
import { Reveal } from './reveal.js';
import { hasScores } from './scores-card.js';
import {
  type Again,
  asDermletError,
  isWaiting,
  type LoadState,
  type Photo,
  type Released,
  type Running,
  Session,
} from './session.js';
import { type DermletShelf, SHELF_HOLDS } from './shelf.js';
import type { DermletSpots } from './spots/index.js';
import { withIsolated } from './strangers.js';
import { base, tokens } from './styles.js';
import type { Subject } from './tools.js';

/** Errors that the same file would cause again: no retry is offered. */
const ABOUT_THE_FILE: ReadonlySet<ErrorCode> = new Set(['UNSUPPORTED_FORMAT', 'CORRUPT_IMAGE', 'IMAGE_TOO_LARGE']);

/** Whether its card says what is under way, with room for how the network comes: nothing else moves for that. */
const isPending = (photo: Photo | null): boolean => photo?.state.kind === 'waiting' || photo?.state.kind === 'running';

/** Whether its answer asks for one of several spots. */
const asksForSpot = (photo: Photo | null | undefined): boolean =>
  photo?.state.kind === 'done' && photo.state.result.outcome === 'several-spots';

/** Properties that need another session when they change. */
const RELOAD = ['model', 'modelFiles', 'head', 'backend', 'assetBase'] as const;

/** Rem from which the answer stands beside its photo; as in the styles. */
const COLUMNS = 46;

/** In place of a photo's id: the announcement says that a photo was removed. */
const REMOVED = -1;

/** Lists the photos of a session; fetched when it is first needed. */
interface ReviewPart extends LitElement {
  focusOn(id: number): void;
  session: Session | null;
  photos: readonly Photo[];
}

/** How a photo's answer came about; null: by a plain look at it alone. */
function closerWords({ name, state }: Photo): (() => string) | null {
  const closer = state.kind === 'done' ? state.seen.closer : null;
  return closer && (() => closer.words(name));
}

/** The answer for a screen reader, in short. */
const answerWords = ({ name, said, closer }: Pick<Photo, 'name' | 'said' | 'closer'>, result: Result): string => {
  const answer = say('announce.result', {
    name: isolated(name),
    tier: said?.raised(result.tier)?.title() ?? tierWords(result.tier).title,
    verdict: verdict(withIsolated(result)),
  });
  return closer ? say('format.sentences', { first: answer, second: closer.words(name) }) : answer;
};

/**
 * Choose, drop or paste photos of skin; a neural network in the page scores them.
 *
 * @element dermlet-classifier
 * @attr {boolean} filled - Set by the element while it holds at least one photo.
 * @csspart answer - The card of the answer.
 * @csspart verdict - The answer's sentence.
 * @csspart tier - The box that says what to do next.
 * @csspart photo - The box of the photo.
 * @csspart region - What the network saw of the photo.
 * @csspart crop-frame - The frame, while a person moves it.
 * @csspart scores - The card of the categories' scores.
 * @cssprop --paper - The ground of the element.
 * @cssprop --card - The ground of cards, fields and buttons.
 * @cssprop --ink - Text.
 * @cssprop --muted - Text of less weight.
 * @cssprop --line - Lines between things.
 * @cssprop --edge - The edge of what can be pressed or filled in.
 * @cssprop --accent - Links, the main button, what is chosen.
 * @cssprop --accent-hover - The main button under the pointer.
 * @cssprop --on-accent - Text on the main button.
 * @cssprop --accent-soft - A ground for what is chosen or under the pointer.
 * @cssprop --bar - The bar of a possible category.
 * @cssprop --bar-rest - The bars of the others.
 * @cssprop --track - The ground of bars.
 * @cssprop --high - Text of the tier `high`.
 * @cssprop --high-soft - Its ground.
 * @cssprop --moderate - Text of the tier `moderate`.
 * @cssprop --moderate-soft - Its ground.
 * @cssprop --low - Text of the tier `low`.
 * @cssprop --low-soft - Its ground.
 * @cssprop --unknown - Text where there is no tier.
 * @cssprop --unknown-soft - Its ground.
 * @cssprop --shade-near - The shadow close to a card.
 * @cssprop --shade-far - The shadow farther from it.
 * @cssprop --serif - Letters of headings and of the answer.
 * @cssprop --sans - All other letters.
 * @slot way - Another way to a photo, beside the buttons that choose or take one while there is none.
 * @fires {CustomEvent<DermletReadyDetail>} dermlet-ready - The model can be used.
 * @fires {CustomEvent<DermletResultDetail>} dermlet-result - A photo was classified.
 * @fires {CustomEvent<DermletErrorDetail>} dermlet-error - Classifying a photo or loading the model failed.
 */
export class DermletClassifier extends LitElement implements DermletClassifierProperties {
  /** @internal */
  static readonly formAssociated = true;

  static override styles = [
    tokens,
    base,
    css`
      :host {
        container-type: inline-size;
        color: var(--ink);
        font-family: var(--sans);
        font-size: 1.0625rem;
        line-height: 1.5;
      }
      :host(:not([whole-page])) {
        padding: 1rem;
        border-radius: 1.5rem;
        /* A ground of its own: the page around may be light where this element is dark. */
        background: var(--paper);
      }
      /* Nothing to press, but an answer is still read. */
      :host(:not([filled])) .stack[inert] {
        opacity: 0.6;
      }
      .dragging {
        outline: 3px dashed var(--accent);
        outline-offset: 0.6rem;
        border-radius: 0.5rem;
      }
      .stack {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        gap: 1.25rem;
      }
      .top {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        gap: 1rem;
      }
      /* It has a task of its own: nothing moves when it comes. */
      dermlet-shelf {
        min-height: 6.25rem;
      }
      .all {
        justify-self: start;
      }
      .columns,
      .answers,
      .rest {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        align-content: start;
        gap: 1.5rem;
      }
      .answers {
        scroll-margin-block: 0.75rem;
      }
      /* Room for the answer: what follows does not jump when it comes. */
      .answers.coming {
        min-height: min(80vh, 42rem);
        min-height: min(80svh, 42rem);
      }
      /* Until the card has its words, what was under way stays. */
      .answers.coming > [part='answer'],
      .answers:not(.coming) > .over-soon {
        display: none;
      }
      /* Over the end of what is in view, without a place of its own: nothing moves when it comes and goes. */
      .over {
        position: sticky;
        z-index: 2;
        bottom: 0;
        height: 0;
      }
      .over .answer {
        position: absolute;
        inset: auto 0 0.75rem;
        padding: 0.9rem 1.1rem;
        border-color: var(--edge);
      }
      .answer {
        /* Large text needs the room more than the edge does. */
        padding: min(1.25rem, 6cqi);
        border: 1px solid var(--line);
        border-radius: 1.25rem;
        background: var(--card);
        box-shadow: var(--shade);
      }
      .stages {
        display: grid;
        gap: 0.65rem;
        margin-top: 0.9rem;
      }
      .stages li {
        display: flex;
        align-items: center;
        gap: 0.7rem;
        color: var(--muted);
      }
      .stages li::before {
        content: '';
        width: 0.8rem;
        height: 0.8rem;
        border: 2px solid var(--edge);
        border-radius: 50%;
      }
      .stages .done::before {
        border-color: var(--accent);
        background: var(--accent);
      }
      .stages .now {
        color: var(--ink);
        font-weight: 600;
      }
      .stages .now::before {
        border-color: var(--accent);
        border-inline-end-color: transparent;
        animation: turn 0.9s linear infinite;
      }
      @media (forced-colors: active) {
        .stages .done::before {
          forced-color-adjust: none;
          border-color: Highlight;
          background: Highlight;
        }
      }
      @keyframes turn {
        to {
          rotate: 1turn;
        }
      }
      .pending h2 {
        font-family: var(--serif);
        font-size: 1.45rem;
        font-weight: 500;
        overflow-wrap: anywhere;
      }
      .pending dermlet-load-progress {
        margin-top: 1.1rem;
      }
      .pending .actions {
        display: flex;
        flex-wrap: wrap;
        gap: 0.6rem;
        margin-top: 1.1rem;
      }
      .purpose {
        max-width: 60rem;
        font-size: 0.95rem;
      }
      .muted {
        color: var(--muted);
      }
      /* With the sentence that asks for one of its spots on the screen of a phone. */
      [slot='choice'] {
        --tallest: 44vh;
      }
      @container (min-width: 46rem) {
        dermlet-removed {
          grid-column: 1 / -1;
        }
        .top {
          grid-template-columns: auto minmax(0, 1fr);
          align-items: center;
          gap: 1.5rem;
        }
        .columns {
          grid-template-columns: minmax(0, 1fr) minmax(0, 1.1fr);
          grid-template-rows: auto 1fr;
          gap: 1.5rem 2rem;
          align-items: start;
        }
        .answers {
          grid-area: 1 / 2;
        }
        .answers.coming {
          min-height: 30rem;
        }
        /* Beside all that is said of it. */
        dermlet-photo-view {
          grid-area: 1 / 1 / span 2 / 1;
          position: sticky;
          top: 1rem;
        }
        .rest {
          grid-area: 2 / 2;
        }
        .answer {
          padding: 1.75rem;
        }
        .over .answer {
          inset-inline-start: auto;
          width: min(26rem, 100%);
        }
      }
    `,
  ];

  /** Name of the model, or the address of its folder. Empty: the default. */
  @property() model = '';
  /** The files of a model that a person has opened from this device, in place of `model`; they are not kept. */
  @property({ attribute: false }) modelFiles: ModelFiles | null = null;
  /**
   * The file of a head, trained on this very model (`docs/retrain.md`): answers come in its categories, without a tier.
   */
  @property({ attribute: false }) head: Blob | null = null;
  /** Which backend runs the network. */
  @property() backend: BackendChoice = 'auto';
  /** Folder of the engine's files; empty: where Dermlet was served from. */
  @property({ attribute: 'asset-base' }) assetBase = '';
  /** What kind of picture new photos are, such as `dermoscopy`; empty: told by each picture. A person may change it. */
  @property() modality = '';
  /** When downloads start: on a person's first interaction with the element, or immediately. */
  @property() load: 'interest' | 'now' = 'interest';
  /** Whether drops and pastes anywhere on the page are accepted. */
  @property({ type: Boolean, attribute: 'whole-page' }) wholePage = false;

  /**
   * Folder with a page about each category, `<id>.html`, relative to the document: possible categories link to theirs.
   * Empty: there are none.
   */
  @property({ attribute: 'category-pages' }) categoryPages = '';

  /**
   * Names of the models whose cards are pages too, `card-<name>.html` in the folder of `category-pages`, with spaces
   * between them. The cards of others are linked as the text files that they are.
   */
  @property({ attribute: 'card-pages' }) cardPages = '';

  /** An https address where to look for a doctor, offered with each answer and opened on a tap only; empty: none. */
  @property({ attribute: 'doctor-search' }) doctorSearch = '';

  /** In a form: the name under which each answer is sent, as JSON. Empty: nothing is. */
  @property({ reflect: true }) name = '';
  /** In a form: whether it can only be sent with an answer. */
  @property({ type: Boolean, reflect: true }) required = false;
  /** Whether nothing can be chosen here; a form then sends nothing of it. */
  @property({ type: Boolean, reflect: true }) disabled = false;
  /** In a form: the name under which the photos are sent, if the person ticks a box. Empty: that is not asked. */
  @property({ attribute: 'submit-photo' }) submitPhoto = '';
  /**
   * In a frame: the origin of the page around, which the frame's page tells each answer at once. The element only says
   * so.
   * @internal
   */
  @property({ attribute: false }) framedBy = '';

  /** Whether there is at least one photo. Reflected, so that the page can style itself. */
  @property({ type: Boolean, reflect: true }) filled = false;

  @state() private session: Session | null = null;
  /** Whether the element, or a group that it is in, is disabled. */
  @state() private off = false;
  @state() private dragging = false;
  /** Text for screen readers, and the photo that it is about. */
  @state() private announcement: { text: () => string; photo: number | null } | null = null;
  /** Why nothing could be taken of what was dropped. */
  @state() private dropError: DermletError | null = null;

  /** Whether the picker has been drawn: what follows comes then, so that each has a task of its own. */
  @state() private begun = false;

  /** Whether the card has its words: until then what was under way is shown in its place. */
  @state() private drawn = false;

  /** The live picture, while it is shown. */
  @state() private camera: DermletCamera | null = null;

  /** Whether all photos are to be listed, rather than in a row. */
  @state() private listed = false;
  /** What lists them, once it was fetched. */
  @state() private review: ReviewPart | null = null;

  /** Whether spots are kept on this device. */
  @state() private kept = false;
  /** Shows them, while they are looked at without an answer. */
  @state() private spots: DermletSpots | null = null;

  readonly #reveal = new Reveal(this);
  readonly #inForm = new InForm(this);
  /** Where a key was pressed last; null: nobody works by keyboard here. */
  #pressed: readonly EventTarget[] | null = null;

  /** Where drops and pastes are listened for while the element is connected. */
  #target: EventTarget | null = null;

  override connectedCallback(): void {
    // On a server there is nothing to show and nobody to listen to.
    if (typeof document === 'undefined') return;
    super.connectedCallback();
    for (const type of ['pointerenter', 'focusin'] as const) this.addEventListener(type, this.#startLoading);
    addEventListener('online', this.#backOnline);
    addEventListener('resize', this.#resized);
    for (const type of ['keydown', 'focusin'] as const) this.addEventListener(type, this.#keepsFocus);
    void this.#lookForKept();
    // Attached again: goes on, or starts with what was changed in between.
    this.requestUpdate();
  }

  override disconnectedCallback(): void {
    if (typeof document === 'undefined') return;
    this.#listenAt(null);
    for (const type of ['pointerenter', 'focusin'] as const) this.removeEventListener(type, this.#startLoading);
    removeEventListener('online', this.#backOnline);
    removeEventListener('resize', this.#resized);
    super.disconnectedCallback();
    // Moving an element disconnects and reconnects it: dispose only if it stays disconnected.
    queueMicrotask(() => {
      if (!this.isConnected) this.session?.suspend();
    });
  }

  /** The form that it is in, wherever that stands: null if none. */
  get form(): HTMLFormElement | null {
    return this.#inForm.internals?.form ?? null;
  }

  /** What keeps a form with it from being sent; undefined in browsers that know no such elements. */
  get validity(): ValidityState | undefined {
    return this.#inForm.internals?.validity;
  }

  /** Why a form with it cannot be sent yet, in the language of the element; empty if it can. */
  get validationMessage(): string {
    return this.#inForm.internals?.validationMessage ?? '';
  }

  /** Whether a form with it can be sent; else fires `invalid`. */
  checkValidity(): boolean {
    return this.#inForm.internals?.checkValidity() ?? true;
  }

  /** As `checkValidity`, and shows the person why not. */
  reportValidity(): boolean {
    return this.#inForm.internals?.reportValidity() ?? true;
  }

  /** @internal */
  formAssociatedCallback(): void {
    this.requestUpdate();
  }

  /** @internal */
  formDisabledCallback(disabled: boolean): void {
    this.off = disabled;
  }

  /**
   * Waits until what a person has just done is in the form's value.
   * @internal
   */
  formSettled(): Promise<void> {
    return this.#inForm.settled();
  }

  /**
   * A form that is reset forgets the photos and their answers. What a browser restores of a form never holds any.
   * @internal
   */
  formResetCallback(): void {
    const { session } = this;
    session?.remove(new Set(session.photos.map(({ id }) => id)));
    session?.forget(); // what a form has let go of comes back by no button
    this.dropError = null;
    this.#inForm.part?.reset();
  }

  #listenAt(target: EventTarget | null): void {
    if (target === this.#target) return;
    for (const [type, listener] of this.#listeners) {
      this.#target?.removeEventListener(type, listener);
      target?.addEventListener(type, listener);
    }
    this.#target = target;
  }

  /** Adds photos as if a person had chosen them. */
  add(files: readonly File[]): void {
    const focused = this.shadowRoot?.querySelector(':focus') != null;
    this.dropError = null;
    if (files.length > 0) this.#reveal.ask();
    this.#ensureSession().add(files);
    // The large field is replaced by a row of buttons: move the focus there.
    if (focused) void this.updateComplete.then(() => this.#keepFocus());
  }

  /**
   * Looks at the selected photo again, as if a person had framed a part of it; without a photo nothing happens.
   * @param crop - As in `ClassifyOptions`; pixels of the upright picture.
   */
  setCrop(crop: Crop): void {
    const { session } = this;
    const id = session?.selectedId;
    if (session && id != null) this.#crop(session, id, crop === 'auto' ? null : crop);
  }

  /** What is done for a tap or a message, and what is then drawn, have a task each: another tap is heard in between. */
  protected override scheduleUpdate(): Promise<unknown> {
    return nextTask().then(() => super.scheduleUpdate());
  }

  /** @internal */
  protected override async getUpdateComplete(): Promise<boolean> {
    const complete = await super.getUpdateComplete();
    if (this.begun || !this.hasUpdated) return complete;
    await this.#picked;
    return super.getUpdateComplete();
  }

  protected override firstUpdated(): void {
    this.#picked = this.#begin();
  }

  /** Resolves once the picker has been drawn. */
  #picked: Promise<void> | undefined;

  async #begin(): Promise<void> {
    await this.renderRoot.querySelector('dermlet-picker')?.updateComplete;
    this.begun = true;
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (RELOAD.some((name) => changed.has(name))) this.#change();
    if (changed.has('modality')) this.session?.setModality(this.modality || null);
    if (this.isConnected) {
      this.#listenAt(this.off ? null : this.wholePage ? document : this);
      this.session?.resume();
      // In a task of its own, once the page can be seen.
      if (this.load === 'now' && !this.off && !this.session?.wanted) void nextTask().then(this.#startLoading);
    }
    const count = this.session?.photos.length ?? 0;
    if (this.filled && count === 0) void this.#lookForKept();
    this.filled = count > 0;
    if (count === 0) this.listed = false;
    if (!this.subject || this.session?.hides(this.subject.photo.id)) this.drawn = false;
    if (count > SHELF_HOLDS && !this.listed) void this.#listAll();
  }

  async #listAll(): Promise<void> {
    this.listed = true;
    if (this.review) return;
    try {
      const { create } = await imported(() => import('./review/index.js'));
      await allWords();
      const review = create();
      review.addEventListener('select', (event) => {
        if (this.session) this.#select(this.session, (event as CustomEvent<number>).detail);
      });
      review.addEventListener('remove', (event) => {
        if (this.session) this.#remove(this.session, (event as CustomEvent<ReadonlySet<number>>).detail);
      });
      review.addEventListener('row', () => {
        this.listed = false;
        void this.#focusOn(this.session?.selectedId);
      });
      // Whether an answer is hidden has changed.
      review.addEventListener('read', () => this.requestUpdate());
      this.review = review;
    } catch (error) {
      // The row goes on.
      this.dropError = asDermletError(error);
    }
  }

  /** Switches models: drops everything of the previous one, and starts loading if that had started. */
  #change(): void {
    const previous = this.session;
    if (!previous) return;
    this.announcement = null;
    const { wanted } = previous;
    const released = previous.release();
    this.session = null;
    const session = this.#ensureSession(released);
    if (!this.isConnected) session.suspend();
    if (wanted) session.start();
  }

  /** The session, created on first use. */
  #ensureSession(from: Released = { photos: [], selectedId: null }): Session {
    if (this.session) return this.session;
    const session = new Session({
      model: this.modelFiles ?? this.model,
      head: this.head,
      from,
      backend: this.backend,
      assetBase: this.assetBase,
      onReady: (model) => {
        void readyFormats(nextTask);
        this.#fire('dermlet-ready', { model });
      },
      onResult: (photo, result, undone) => {
        const text = () => answerWords(photo, result);
        // Of many, that which is looked at, and at the end that all are done: a list of them says so itself.
        if (undone) this.announcement = { text: () => say('announce.undone', { answer: text() }), photo: photo.id };
        else if (photo.id === session.selectedId && !session.hides(photo.id))
          this.announcement = { text, photo: photo.id };
        else if (!(this.listed && this.review) && !session.photos.some(isWaiting)) {
          const count = session.photos.length;
          this.announcement = { text: () => say('announce.all', { count }), photo: null };
        }
        void this.#show(photo.id);
        this.#fire('dermlet-result', { result, name: photo.name, crop: photo.crop ?? 'auto', undone });
      },
      // Not announced: the notice has the role `alert`.
      onError: (photo, error) => {
        if (photo) void this.#show(photo.id);
        this.#fire('dermlet-error', { error, name: photo?.name ?? null });
      },
    });
    session.modality = this.modality || null;
    session.addEventListener('change', () => {
      if (this.session !== session) return;
      this.#announceLoading(session);
      this.requestUpdate();
    });
    this.session = session;
    return session;
  }

  #fire<Type extends keyof DermletClassifierEvents>(type: Type, detail: DermletClassifierEvents[Type]['detail']): void {
    this.dispatchEvent(new CustomEvent(type, { detail, bubbles: true, composed: true }));
  }

  /** Brings the answer, or why there is none, into view once it is drawn. */
  async #show(id: number): Promise<void> {
    if (this.session?.selectedId !== id) return;
    await this.updateComplete;
    const card = this.renderRoot.querySelector('dermlet-result-card');
    await card?.updateComplete;
    await this.updateComplete;
    await card?.querySelector('dermlet-photo-view')?.updateComplete;
    await new Promise(requestAnimationFrame);
    const answers = this.renderRoot.querySelector('.answers');
    if (!answers || this.session?.selectedId !== id) return;
    const notice = answers.querySelector('dermlet-notice');
    this.#reveal.show(answers, (notice ? null : card?.answer) ?? answers.getBoundingClientRect());
  }

  #select(session: Session, id: number): void {
    session.select(id);
    const photo = session.selected;
    if (!photo) return;
    const { name, state } = photo;
    const words = () =>
      state.kind === 'done'
        ? session.hides(id)
          ? say('announce.selected', { name: isolated(name), state: say('run.hidden') })
          : answerWords({ ...photo, ...state.seen }, state.result)
        : say('announce.selected', { name: isolated(name), state: say(`shelf.state.${state.kind}`) });
    this.announcement = { text: words, photo: id };
  }

  /** Announces the beginning, the middle and the end, not every megabyte. */
  #announceLoading(session: Session): void {
    const { load } = session;
    if (load.kind === 'loading') {
      const { loaded, total } = load.progress?.all ?? { loaded: 0, total: 0 };
      const key = total > 0 && loaded * 2 >= total ? 'announce.half' : 'announce.loading';
      this.announcement = { text: () => say(key), photo: null };
    } else if (load.kind === 'ready' && session.photos.length === 0 && this.announcement?.photo !== REMOVED) {
      this.announcement = { text: () => say('announce.ready'), photo: null };
    }
  }

  readonly #startLoading = () => {
    if (!this.off && this.isConnected) this.#ensureSession().start();
  };

  /** A phone that is turned. */
  readonly #resized = () => {
    if (asksForSpot(this.session?.selected)) this.requestUpdate();
  };

  readonly #backOnline = () => {
    if (this.session?.load.kind === 'failed' && this.session.load.error.code === 'MODEL_UNAVAILABLE')
      this.session.retry();
  };

  readonly #listeners: readonly (readonly [string, (event: Event) => void])[] = [
    ['dragover', (event) => this.#dragOver(event as DragEvent)],
    ['dragleave', (event) => this.#dragLeave(event as DragEvent)],
    ['drop', (event) => this.#drop(event as DragEvent)],
    ['paste', (event) => this.#paste(event as ClipboardEvent)],
  ];

  #dragOver(event: DragEvent): void {
    if (!event.dataTransfer?.types.includes('Files')) return;
    // Otherwise the browser would navigate to the file.
    event.preventDefault();
    event.dataTransfer.dropEffect = 'copy';
    this.dragging = true;
    this.#startLoading();
  }

  #dragLeave(event: DragEvent): void {
    if (event.relatedTarget === null || event.relatedTarget === document.documentElement) this.dragging = false;
  }

  #drop(event: DragEvent): void {
    this.dragging = false;
    this.#take(event, event.dataTransfer);
  }

  #paste(event: ClipboardEvent): void {
    this.#take(event, event.clipboardData);
  }

  #take(event: Event, transfer: DataTransfer | null): void {
    if (!transfer || !holdsFiles(transfer)) return;
    event.preventDefault();
    this.#startLoading();
    void filesIn(transfer).then(
      (files) => this.add(files),
      (error: DermletError) => {
        this.dropError = error;
        this.#fire('dermlet-error', { error, name: null });
      },
    );
  }

  override render() {
    const session = this.session;
    const photo = session?.selected ?? null;
    const { tag, direction } = language();
    return html`<div class="stack ${this.dragging && photo ? 'dragging' : ''}" lang=${tag} dir=${direction}
      @restore=${() => session && this.#restore(session)} @forget=${() => session && this.#forget(session)}>
      <p class="visually-hidden" role="status" aria-live="polite">${
        // Never `nothing`: what a translator has rewritten could not be filled again.
        this.announcement ? medical(this.announcement.text) : ''
      }</p>
      <div class="stack" ?inert=${this.off}>
        ${session && photo ? this.#top(session) : this.#empty(session)}
        ${this.#reviewed ? nothing : this.#notices(session)}
        ${session && photo ? this.#columns(session, photo) : this.#modality(session)}
      </div>
      ${this.#inForm.part ?? nothing} ${this.#purpose(photo)}
      ${
        session && photo?.state.kind === 'done'
          ? html`<div class="over">${this.#again(session, photo, photo.state.again)}</div>`
          : nothing
      }
      ${this.camera ? this.#cameraView(this.camera) : nothing}
    </div>`;
  }

  /** Always part of the element: a result card has it itself, before anything of any length. */
  #purpose(photo: Photo | null) {
    if (photo?.state.kind === 'done' || !this.begun) return nothing;
    return html`<p class="purpose muted">${medical(purpose)} ${medical(doctor)}</p>`;
  }

  #picker(compact: boolean) {
    return html`<dermlet-picker
      ?compact=${compact}
      ?dragging=${this.dragging}
      ?sends=${this.submitPhoto !== '' && this.form !== null}
      @files=${(event: CustomEvent<File[]>) => this.add(event.detail)}
      @camera=${this.#openCamera}
    >${compact ? nothing : html`<slot name="way"></slot>`}</dermlet-picker>`;
  }

  /** Fetched when it is first asked for. */
  readonly #openCamera = async (): Promise<void> => {
    this.dropError = null;
    this.#startLoading();
    try {
      const { create } = await imported(() => import('./camera/index.js'));
      await allWords();
      this.camera ??= this.#heard(create());
    } catch (error) {
      this.dropError = asDermletError(error);
    }
  };

  /**
   * Fetched with the first key or the first focus that shows: who uses a pointer alone has no place to lose. It may
   * come after a press has removed what was pressed: it is told where that was.
   */
  readonly #keepsFocus = async (event: Event): Promise<void> => {
    const first = this.#pressed === null;
    if (event.type === 'keydown') this.#pressed = event.composedPath();
    else if (first && focused()?.matches(':focus-visible')) this.#pressed = [];
    if (!first || !this.#pressed) return;
    try {
      const { KeepFocus } = await imported(() => import('./keep-focus.js'));
      const keeps = new KeepFocus(this);
      this.addController(keeps);
      keeps.pressedAt(this.#pressed);
    } catch (error) {
      console.info('Dermlet keeps no focus:', error);
    }
  };

  async #lookForKept(): Promise<void> {
    this.kept = await anyKept();
  }

  #empty(session: Session | null) {
    return html`${this.#picker(false)}${this.#removed(session)}${this.#keptSpots()}`;
  }

  #keptSpots() {
    if (this.spots) return html`<div class="answer">${this.spots}</div>`;
    if (!this.kept) return nothing;
    return html`<button type="button" class="all" @click=${this.#openSpots}>${say('kept.open')}</button>`;
  }

  /** Fetched when they are first asked for. */
  readonly #openSpots = async (): Promise<void> => {
    this.dropError = null;
    try {
      const { create } = await imported(() => import('./spots/index.js'));
      await allWords();
      const spots = create();
      spots.closable = true;
      spots.addEventListener('closed', async () => {
        this.spots = null;
        await this.#lookForKept();
        await this.updateComplete;
        if (this.kept) this.renderRoot.querySelector<HTMLElement>('button.all')?.focus();
        else await this.#keepFocus();
      });
      this.spots = spots;
    } catch (error) {
      this.dropError = asDermletError(error);
    }
  };

  #heard(camera: DermletCamera): DermletCamera {
    camera.addEventListener('closed', () => (this.camera = null));
    camera.addEventListener('files', (event) => this.add((event as CustomEvent<File[]>).detail));
    camera.addEventListener('instead', () => this.renderRoot.querySelector('dermlet-picker')?.choose());
    return camera;
  }

  #cameraView(camera: DermletCamera) {
    camera.session = this.session;
    return html`${camera}`;
  }

  #top(session: Session) {
    const { review } = this;
    if (this.listed && review) {
      review.session = session;
      review.photos = session.photos;
      // Which photo is selected, and whether the queue is stopped, are in the session.
      review.requestUpdate();
      return html`${this.#picker(true)}${this.#notices(session)}${review}`;
    }
    return html`<div class="top">
      ${this.#picker(true)}
      <dermlet-shelf
        .photos=${session.photos}
        .selectedId=${session.selectedId}
        ?stopped=${session.load.kind === 'failed'}
        @select=${(event: CustomEvent<number>) => this.#select(session, event.detail)}
        @remove=${(event: CustomEvent<number>) => this.#remove(session, new Set([event.detail]))}
      ></dermlet-shelf>
      ${this.#removed(session)}
      ${
        session.photos.length > 1
          ? html`<button type="button" class="link all" @click=${async () => {
              await this.#listAll();
              await this.#focusOn(session.selectedId);
            }}>${say('shelf.all')}</button>`
          : nothing
      }
    </div>`;
  }

  /** Before the list of all photos, which may be higher than the screen. */
  #notices(session: Session | null) {
    return html`${this.dropError ? html`<dermlet-notice .error=${this.dropError}></dermlet-notice>` : nothing}
      ${session ? this.#loadState(session) : nothing}`;
  }

  #removed(session: Session | null) {
    if (!session?.removed) return nothing;
    return html`<dermlet-removed .removed=${session.removed}></dermlet-removed>`;
  }

  /** The focused button disappears with its photo: focus the next photo, or the picker after the last. */
  #remove(session: Session, ids: ReadonlySet<number>): void {
    const index = session.photos.findIndex(({ id }) => ids.has(id));
    session.remove(ids);
    const next = session.photos[index] ?? session.photos[index - 1];
    const count = session.removed?.photos.length;
    this.announcement = null;
    if (count) void this.#tellRemoval(({ goneWords }) => goneWords(count));
    // The list knows its own order.
    if (!next || !this.#reviewed) void this.#focusOn(next?.id);
  }

  /** With it comes what shows the line; without it, the photo is removed all the same. */
  async #tellRemoval(words: (room: typeof import('./removed/index.js')) => string): Promise<void> {
    const before = this.announcement;
    try {
      const room = await imported(() => import('./removed/index.js'));
      await allWords();
      // What has happened meanwhile is newer.
      if (this.announcement === before) this.announcement = { text: () => words(room), photo: REMOVED };
    } catch (error) {
      this.dropError = asDermletError(error);
    }
  }

  #restore(session: Session): void {
    const { removed } = session;
    if (!removed) return;
    session.restore();
    const [photo] = removed.photos;
    if (session.selectedId === photo?.id) this.#select(session, photo.id);
    else void this.#tellRemoval(({ backWords }) => backWords());
    void this.#focusOn(photo?.id);
  }

  #forget(session: Session): void {
    session.forget();
    if (this.announcement?.photo === REMOVED) this.announcement = null;
    void this.#focusOn(session.selectedId);
  }

  /** The list of all photos, while it is shown. */
  get #reviewed(): ReviewPart | null {
    return this.listed ? this.review : null;
  }

  /** Moves the focus to a photo; without one, to the picker. */
  async #focusOn(id: number | null | undefined): Promise<void> {
    await this.updateComplete;
    if (id == null) return this.#keepFocus();
    const list = this.#reviewed ?? this.renderRoot.querySelector<DermletShelf>('dermlet-shelf');
    await list?.updateComplete;
    list?.focusOn(id);
  }

  async #keepFocus(): Promise<void> {
    const picker = this.renderRoot.querySelector('dermlet-picker');
    await picker?.updateComplete;
    picker?.focus();
  }

  #loadState(session: Session) {
    const { load } = session;
    if (load.kind === 'failed')
      return html`<dermlet-notice .error=${load.error} about=${this.head ? 'head' : 'model'}
        retry-label=${say('run.retry')} @retry=${() => session.retry()}></dermlet-notice>`;
    if (load.kind === 'loading') return isPending(session.selected) ? nothing : this.#progress(session, load);
    if (load.kind === 'ready' && load.failedUpdate) {
      const { version = '' } = load.failedUpdate;
      const kept = load.model.version;
      return html`<p class="muted" role="status">${
        version ? say('load.keptVersion', { version, kept }) : say('load.unreadableVersion', { kept })
      }</p>`;
    }
    return nothing;
  }

  #progress(session: Session, load: Extract<LoadState, { kind: 'loading' }>) {
    return html`<dermlet-load-progress .load=${load} @retry=${() => session.retry()}></dermlet-load-progress>`;
  }

  #modality(session: Session | null) {
    const model = session?.load.kind === 'ready' ? session.load.model : null;
    const state = session?.selected?.state;
    const { result, again } = state?.kind === 'done' ? state : { result: null, again: null };
    const failed = again?.kind === 'failed' ? again.error.code : null;
    return html`<dermlet-modality
      .model=${model}
      .value=${session?.modality ?? null}
      .choice=${result?.modalityChoice ?? null}
      .note=${again && (() => (failed ? errorWords(failed).title : say('run.again')))}
      @modality=${(event: CustomEvent<string | null>) => session?.setModality(event.detail)}
    ></dermlet-modality>`;
  }

  #columns(session: Session, photo: Photo) {
    const { state } = photo;
    if (state.kind === 'done' && session.hides(photo.id))
      return html`<p class="answer" data-hidden>${medical(() => say('run.hidden'))}</p>`;
    const result = state.kind === 'done' && this.drawn ? state.result : null;
    return html`<div class="columns">
      <div class="answers ${this.#comes(session, photo) ? 'coming' : ''}">
        ${this.#answer(session, photo)}
      </div>
      ${this.#chosenInCard(photo) ? nothing : this.#photoView(session, photo)}
      <div class="rest">
        ${
          result
            ? html`<dermlet-tools .subject=${this.#subject(session, photo, result)}
          @again=${() => this.#reveal.ask()}></dermlet-tools>`
            : nothing
        }
        ${
          result && hasScores(result)
            ? html`<div class="answer" part="scores">
                <dermlet-scores-card .result=${result}
              .categoryPages=${this.categoryPages}></dermlet-scores-card>
              </div>`
            : nothing
        }
        ${this.#modality(session)} ${this.#details(session, photo)}
      </div>
    </div>`;
  }

  /** Whether the picture to choose a spot in would stand far below the sentence that asks for one. */
  #chosenInCard(photo: Photo): boolean {
    if (!asksForSpot(photo)) return false;
    const { fontSize } = getComputedStyle(document.documentElement);
    return this.renderRoot.querySelector('.stack')!.clientWidth < COLUMNS * Number.parseFloat(fontSize);
  }

  #photoView(session: Session, photo: Photo) {
    return html`<dermlet-photo-view
      slot=${this.#chosenInCard(photo) ? 'choice' : nothing}
      exportparts="photo, region, crop-frame"
      .photo=${photo}
      .model=${session.load.kind === 'ready' ? session.load.model : null}
      @undo=${() => this.#undo(session, photo.id)}
      @crop=${(event: CustomEvent<Crop | null>) => this.#crop(session, photo.id, event.detail)}></dermlet-photo-view>`;
  }

  /** At once: what follows the answer is drawn in a task of its own. */
  readonly #shown = (): void => {
    this.renderRoot.querySelector('.answers')?.classList.remove('coming');
    this.drawn = true;
  };

  /** Whether room is held for an answer. */
  #comes({ load }: Session, photo: Photo): boolean {
    return photo.state.kind === 'done' ? !this.drawn : isPending(photo) && load.kind !== 'failed';
  }

  /**
   * The answer that is looked at.
   * @internal
   */
  get subject(): Subject | null {
    const photo = this.session?.selected;
    return this.session && photo?.state.kind === 'done' ? this.#subject(this.session, photo, photo.state.result) : null;
  }

  /**
   * Null until something is first to be loaded.
   * @internal
   */
  get loader(): Session | null {
    return this.session;
  }

  #subject(session: Session, photo: Photo, result: Result): Subject {
    const model = session.load.kind === 'ready' ? session.load.model : null;
    return { session, photo, result, model, pages: pagesIn(this.categoryPages, this.cardPages) };
  }

  #undo(session: Session, id: number): void {
    this.#reveal.ask();
    session.undo(id);
  }

  #crop(session: Session, id: number, crop: Crop | null): void {
    this.#reveal.ask();
    session.setCrop(id, crop);
  }

  #details(session: Session, photo: Photo) {
    if (photo.state.kind !== 'done' || !this.drawn) return nothing;
    return html`<dermlet-details
      .result=${photo.state.result}
      .model=${session.load.kind === 'ready' ? session.load.model : null}
      .name=${photo.name}
      .chosenAt=${photo.chosenAt}
      .pages=${pagesIn(this.categoryPages, this.cardPages)}
      ?kept=${session.load.kind === 'ready' && session.load.kept}
    ></dermlet-details>`;
  }

  #answer(session: Session, photo: Photo) {
    const rerun = () => this.#rerun(session, photo.id);
    switch (photo.state.kind) {
      case 'waiting':
      case 'running':
        return this.#pending(session, photo);
      case 'failed':
        return html`<dermlet-notice
          .error=${photo.state.error}
          retry-label=${ABOUT_THE_FILE.has(photo.state.error.code) ? '' : say('run.retryPhoto')}
          @retry=${rerun}
        ></dermlet-notice>`;
      case 'cancelled':
        return html`<div class="answer pending">
          <h2>${say('run.cancelled')}</h2>
          <p class="muted">${say('run.nothingKept')}</p>
          <div class="actions"><button type="button" @click=${rerun}>${say('run.lookAgain')}</button></div>
        </div>`;
      case 'done':
        return html`${
          photo.state.again?.kind === 'failed' ? this.#failedAgain(session, photo, photo.state.again.error) : nothing
        }
          ${this.drawn ? nothing : this.#soonOver(session, photo)}
          <div class="answer" part="answer"><dermlet-result-card exportparts="verdict, tier"
            ?choice=${this.#chosenInCard(photo)}
            .result=${photo.state.result}
            .spots=${photo.spots}
            .said=${photo.said}
            .closer=${closerWords(photo)}
            .doctorSearch=${this.doctorSearch}
            @drawn=${this.#shown}
            @frame=${() => this.renderRoot.querySelector('dermlet-photo-view')?.beginFraming()}
          >${this.#chosenInCard(photo) ? this.#photoView(session, photo) : nothing}</dermlet-result-card></div>`;
    }
  }

  #rerun(session: Session, id: number): void {
    this.#reveal.ask();
    session.rerun(id);
  }

  #failedAgain(session: Session, photo: Photo, error: DermletError) {
    return html`<dermlet-notice
      .error=${error}
      .note=${() => say('run.before')}
      retry-label=${ABOUT_THE_FILE.has(error.code) ? '' : say('run.retryPhoto')}
      @retry=${() => this.#rerun(session, photo.id)}
    ></dermlet-notice>`;
  }

  /** Another look at a photo that has a result, under way. */
  #again(session: Session, photo: Photo, again: Again | null) {
    if (!again || again.kind === 'failed') return nothing;
    return html`<div class="answer pending">
      <h2>${say('run.again')}</h2>
      <p class="muted">${this.#stageOf(session, again)}</p>
      <p class="muted">${medical(() => say('run.before'))}</p>
      <div class="actions">
        <button type="button" @click=${() => session.cancel(photo.id)}>${say('run.cancel')}</button>
      </div>
    </div>`;
  }

  #stageOf(session: Session, running: Running): string {
    if (session.load.kind === 'failed') return say('run.stopped');
    if (running.kind === 'running') return stageWords(running.stage);
    return say(session.load.kind === 'ready' ? 'run.waitingForPhoto' : 'run.waitingForNetwork');
  }

  #pending(session: Session, photo: Photo) {
    const { state } = photo;
    if (state.kind !== 'running' && state.kind !== 'waiting') return nothing;
    // Nothing is under way: above it stands why, with a button that tries again.
    if (session.load.kind === 'failed')
      return html`<div class="answer pending">
        <h2>${isolated(photo.name)}</h2>
        <p class="muted">${this.#stageOf(session, state)}</p>
      </div>`;
    const at = state.kind === 'running' ? STAGES.indexOf(state.stage) : -1;
    return this.#stages(
      photo,
      at,
      at < 0 ? this.#stageOf(session, state) : say('run.moment'),
      html`${this.#cancel(session, photo)}
      ${session.load.kind === 'loading' ? this.#progress(session, session.load) : nothing}`,
    );
  }

  #soonOver(session: Session, photo: Photo) {
    return this.#stages(photo, STAGES.length, say('run.moment'), this.#cancel(session, photo), 'over-soon');
  }

  #cancel(session: Session, { id }: Photo) {
    return html`<div class="actions">
      <button type="button" @click=${() => session.cancel(id)}>${say('run.cancel')}</button>
    </div>`;
  }

  /** How far a photo has come: `at` counts the stages that are over. */
  #stages(photo: Photo, at: number, words: string, actions: unknown, also = '') {
    return html`<div class="answer pending ${also}">
      <h2>${isolated(photo.name)}</h2>
      <p class="muted">${words}</p>
      <ol class="stages" aria-label=${say('run.title')}>
        ${STAGES.map(
          (other, index) =>
            html`<li class=${index < at ? 'done' : index === at ? 'now' : ''}
              aria-current=${index === at ? 'step' : 'false'}>${stageWords(other)}</li>`,
        )}
      </ol>
      ${actions}
    </div>`;
  }
}
