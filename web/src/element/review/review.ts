/**
 * `<dermlet-review>`: all photos of a session as pictures or as a table, however many: only what is in view is drawn.
 * Fires `select` (detail: the photo's id), `remove` (detail: a set of ids), `row` (the row of photos is wanted back)
 * and `read` (which answers are hidden has changed).
 */
import { LitElement, nothing, type PropertyValues } from 'lit';
import { property, state } from 'lit/decorators.js';
import { live } from 'lit/directives/live.js';
import { repeat } from 'lit/directives/repeat.js';
import type { ModelInfo } from '../../classifier/index.js';
import {
  categoryName,
  isolated,
  list,
  mayName,
  modalityWords,
  number,
  percent,
  plainName,
  printable,
  tierWords,
} from '../../messages/index.js';
import { say } from '../../messages/review.js';
import { clear, drawThumbnail } from '../canvas.js';
import { closerOf, mayJoin } from '../closer/index.js';
import { define, emit } from '../emit.js';
import { html } from '../html.js';
import { tierIcons } from '../icons.js';
import { medical } from '../medical.js';
import { partSeen } from '../region.js';
import { isWaiting, type Photo, type Session } from '../session.js';
import { SHELF_HOLDS } from '../shelf.js';
import { base, field } from '../styles.js';
import { TimeLeft } from '../time-left.js';
import { choice } from './choice.js';
import { finishedWords } from './finished.js';
import { look } from './look.js';
import {
  isTier,
  KINDS,
  type Kind,
  kindOf,
  listed,
  rowsInView,
  SORTS,
  type Sort,
  scoreOf,
  type Wanted,
} from './order.js';
import { agreementWords, labelWords, pictureOf } from './reading.js';
import { type Reading, sorted } from './readings.js';
import { saveButtons } from './save.js';

/** Rem; as in the style sheet. */
const ROW = { pictures: 13.5, table: 4.5 };
/** Rem that a picture takes at least. */
const TILE = 9;
/** Pixels. */
const THUMBNAIL = 160;

type View = 'pictures' | 'table';

const kindWords = (kind: Kind): string => (isTier(kind) ? tierWords(kind).title : say(`review.kind.${kind}`));

export class DermletReview extends LitElement {
  static override styles = [base, field, look];

  @property({ attribute: false }) session: Session | null = null;
  @property({ attribute: false }) photos: readonly Photo[] = [];

  @state() private view: View = 'pictures';
  @state() private wanted: Wanted = { sort: 'added', kind: null, category: null, text: '' };
  @state() private chosen: ReadonlySet<number> = new Set();
  @state() private blind = false;
  /** Of the list's window. */
  @state() private place = { top: 0, height: 0, width: 0 };
  /** Where arrow keys go from. */
  @state() private active: number | null = null;
  @state() private modality = 'auto';

  /** Of these photos, with these categories. */
  #sorted = { photos: this.photos, classes: null as ModelInfo['classes'] | null, ...sorted([], null) };

  #shown: readonly Photo[] = [];
  #columns = 1;
  /** The photo that Tab leads to: the active one if it is drawn, else the first that is. */
  #tab: number | null = null;
  /** Where a selection with Shift begins. */
  #from: number | null = null;
  #focusActive = false;
  #left = new TimeLeft();
  #seconds: number | null = null;
  #settled = -1;
  #sizes: ResizeObserver | undefined;

  override connectedCallback(): void {
    super.connectedCallback();
    this.#sizes = new ResizeObserver(() => this.#measure());
    void this.updateComplete.then(() => {
      const window = this.#list;
      if (window && this.isConnected) this.#sizes?.observe(window);
    });
    this.#tellHidden();
  }

  override disconnectedCallback(): void {
    this.#sizes?.disconnect();
    if (this.session) this.session.hides = () => false;
    super.disconnectedCallback();
  }

  get #list(): HTMLElement | null {
    return this.renderRoot.querySelector('.list');
  }

  #measure(): void {
    const window = this.#list;
    if (!window) return;
    const { scrollTop: top, clientHeight: height, clientWidth: width } = window;
    const { place } = this;
    if (place.top !== top || place.height !== height || place.width !== width) this.place = { top, height, width };
  }

  get #rem(): number {
    return Number.parseFloat(getComputedStyle(document.documentElement).fontSize);
  }

  /** What the reader has said, as the session has it now. */
  get #read() {
    const { photos = this.photos, load } = this.session ?? {};
    const classes = load?.kind === 'ready' ? load.model.classes : null;
    if (this.#sorted.photos !== photos || this.#sorted.classes !== classes)
      this.#sorted = { photos, classes, ...sorted(photos, classes) };
    return this.#sorted;
  }

  #hidden(id: number): boolean {
    return this.blind && !this.#read.readings.has(id);
  }

  /** Then nothing is saved either: it would show them. */
  get #someHidden(): boolean {
    return this.photos.some(({ id, state }) => state.kind === 'done' && this.#hidden(id));
  }

  #tellHidden(): void {
    if (this.session) this.session.hides = (id) => this.#hidden(id);
    emit(this, 'read', null);
  }

  protected override willUpdate(changed: PropertyValues): void {
    const { session } = this;
    if (changed.has('session') && session) this.#tellHidden();
    const ids = new Set(this.photos.map(({ id }) => id));
    if ([...this.chosen].some((id) => !ids.has(id)))
      this.chosen = new Set([...this.chosen].filter((id) => ids.has(id)));
    const { wanted, blind } = this;
    // What is hidden must not show in the order either.
    const sort = blind && wanted.sort !== 'name' ? 'added' : wanted.sort;
    const index = this.#shown.findIndex(({ id }) => id === this.active);
    this.#shown = listed(this.photos, blind ? { ...wanted, sort, kind: null, category: null } : wanted);
    if (!this.#shown.some(({ id }) => id === this.active)) {
      const near = this.#shown[Math.min(Math.max(0, index), this.#shown.length - 1)];
      this.active = near?.id ?? null;
    }
    const settled = this.photos.filter((photo) => !isWaiting(photo) && kindOf(photo) !== 'pending').length;
    if (session?.paused) this.#left = new TimeLeft();
    else if (settled !== this.#settled)
      this.#seconds = this.#left.update(performance.now(), settled, this.photos.length);
    this.#settled = settled;
  }

  override render() {
    const { session } = this;
    if (!session) return nothing;
    return html`<section aria-labelledby="title">
      ${this.#progress(session)} ${this.#controls()} ${this.#selection(session)}
      ${session.removed ? html`<dermlet-removed .removed=${session.removed}></dermlet-removed>` : nothing}
      ${this.#none()}
      <div class="list" ?hidden=${this.#isNone} role="group" tabindex="-1" aria-label=${say('review.title')}
        @scroll=${() => this.#measure()} @keydown=${(event: KeyboardEvent) => this.#key(event)}>
        ${this.view === 'table' ? this.#table() : this.#pictures()}
      </div>
      <p class="muted">${say('review.keys')}</p>
      ${this.#reading(session)} ${agreementWords(this.photos, this.#read.readings)}
      <p role="status">${this.#aside()}</p>
      ${saveButtons(this.photos, this.#read.readings, this.#someHidden)}
    </section>`;
  }

  #progress(session: Session) {
    const total = this.photos.length;
    const done = this.#settled;
    const going = done < total;
    const seconds = this.#seconds;
    const left =
      session.load.kind === 'loading'
        ? say('review.left.network')
        : seconds === null
          ? ''
          : seconds < 60
            ? say('review.left.seconds', { count: seconds })
            : say('review.left.minutes', { count: Math.round(seconds / 60) });
    return html`<h2 id="title">${say('review.title')}</h2>
      <div class="bar">
        <p>${say('review.progress', { done: number(done), total: number(total) })}${
          going && !session.paused && left ? html`, <span>${left}</span>` : nothing
        }</p>
        ${
          going
            ? html`<button type="button" class="stop"
              @click=${() => (session.paused ? session.goOn() : session.pause())}>
              ${say(session.paused ? 'review.goOn' : 'review.stop')}</button>`
            : nothing
        }
        ${
          total <= SHELF_HOLDS
            ? html`<button type="button" class="link" @click=${() => emit(this, 'row', null)}>${say('review.asRow')}
              </button>`
            : nothing
        }
      </div>
      ${going ? html`<progress max=${total} value=${done} aria-label=${say('review.title')}></progress>` : nothing}
      <p class=${going ? '' : 'visually-hidden'} role="status">${
        going
          ? session.paused
            ? say('review.stopped')
            : nothing
          : this.blind
            ? nothing
            : medical(() => finishedWords(this.photos))
      }</p>`;
  }

  /** Whether the filters leave none of the photos. */
  get #isNone(): boolean {
    return this.#shown.length === 0 && this.photos.length > 0;
  }

  /** The sentence stays the same while more is typed: it is announced once. */
  #none() {
    return html`<div class="none"><p role="status">${this.#isNone ? say('review.none') : ''}</p>${
      this.#isNone
        ? html`<button type="button" @click=${() => {
            this.#want({ kind: null, category: null, text: '' });
            this.#focusActive = true;
          }}>${say('review.showAll')}</button>`
        : nothing
    }</div>`;
  }

  #want(change: Partial<Wanted>): void {
    this.wanted = { ...this.wanted, ...change };
    this.#list?.scrollTo(0, 0);
  }

  get #classes() {
    return this.session?.load.kind === 'ready' ? this.session.load.model.classes : [];
  }

  #controls() {
    const { wanted, blind } = this;
    const any = ['', say('review.any')] as const;
    return html`<div class="controls">
      ${choice(
        say('review.sort'),
        wanted.sort,
        SORTS.map((sort) => [sort, say(`review.sort.${sort}`)] as const),
        (sort) => this.#want({ sort: sort as Sort }),
      )}
      ${choice(
        say('review.kind'),
        wanted.kind ?? '',
        [any, ...KINDS.map((kind) => [kind, kindWords(kind)] as const)],
        (kind) => this.#want({ kind: kind === '' ? null : (kind as Kind) }),
        blind,
      )}
      ${choice(
        say('review.category'),
        wanted.category ?? '',
        [any, ...this.#classes.map((one) => [one.id, printable(plainName(one))] as const)],
        (category) => this.#want({ category: category || null }),
        blind,
      )}
      <label class="field"><span>${say('review.text')}</span><input type="search" .value=${live(wanted.text)}
        @input=${(event: Event) => this.#want({ text: (event.target as HTMLInputElement).value })} /></label>
    </div>
    <div class="controls" role="group" aria-label=${say('review.view')}>
      ${(['pictures', 'table'] as const).map(
        (view) => html`<button type="button" aria-pressed=${this.view === view ? 'true' : 'false'}
          @click=${() => (this.view = view)}>${say(`review.view.${view}`)}</button>`,
      )}
      <label class="tick"><input type="checkbox" .checked=${live(blind)} @change=${() => {
        this.blind = !this.blind;
        this.#tellHidden();
      }} /><span>${say('review.blind')}</span></label>
    </div>`;
  }

  #selection(session: Session) {
    const { chosen } = this;
    const all = this.#shown.length > 0 && this.#shown.every(({ id }) => chosen.has(id));
    const modalities = session.load.kind === 'ready' ? session.load.model.modalities : [];
    return html`<div class="selection">
      <label class="tick"><input type="checkbox" .checked=${live(all)} @change=${() =>
        (this.chosen = all ? new Set() : new Set(this.#shown.map(({ id }) => id)))} />
        <span>${say('review.selectAll')}</span></label>
      <p class="muted tick">${say('review.shown', {
        shown: number(this.#shown.length),
        total: number(this.photos.length),
      })}</p>
      <p class="muted tick count">${say('review.selected', { count: chosen.size })}</p>
      ${
        chosen.size > 0
          ? html`${
              modalities.length > 1
                ? html`${choice(
                    say('review.modality'),
                    this.modality,
                    [
                      ['auto', say('review.modality.auto')],
                      ...modalities.map((id) => [id, modalityWords(id).name] as const),
                    ],
                    (to) => (this.modality = to),
                  )}
                  <button type="button" @click=${() =>
                    session.setModalityOf(chosen, this.modality === 'auto' ? null : this.modality)}>${say(
                    'review.modality.set',
                  )}</button>`
                : nothing
            }
            ${this.#pair(session)}
            <button type="button" @click=${() => this.#removeChosen()}>${say('review.remove')}</button>`
          : nothing
      }
    </div>`;
  }

  /** Two that are chosen may be of one spot. */
  #pair(session: Session) {
    const [a, b, ...more] = this.photos.filter(({ id }) => this.chosen.has(id)).reverse();
    const model = session.load.kind === 'ready' ? session.load.model : null;
    if (!a || !b || more.length > 0 || !model) return nothing;
    if (this.#hidden(a.id) || this.#hidden(b.id) || !mayJoin(a, b, model))
      return html`<p class="muted tick">${say('review.noPair')}</p>`;
    return html`<button type="button" data-pair @click=${() => {
      this.#select(a.id);
      session.lookCloser(a.id, closerOf(false, b));
    }}>${say('review.pair')}</button>`;
  }

  #removeChosen(): void {
    emit(this, 'remove', this.chosen);
    this.chosen = new Set();
    this.#focusActive = true;
  }

  #kind(photo: Photo) {
    const kind = kindOf(photo);
    if (photo.state.kind === 'done' && this.#hidden(photo.id))
      return html`<span class="kind">${say('review.kind.hidden')}</span>`;
    return html`<span class="kind ${kind}">${isTier(kind) ? tierIcons[kind] : nothing}${medical(() =>
      // In short: there is no room for more, as on the row of photos.
      isTier(kind) ? tierWords(kind).short : kindWords(kind),
    )}</span>`;
  }

  #open(photo: Photo) {
    return html`<button type="button" data-id=${photo.id} title=${printable(photo.name)}
      tabindex=${photo.id === this.#tab ? 0 : -1}
      aria-current=${photo.id === this.session?.selectedId ? 'true' : 'false'}
      @focus=${() => (this.active = photo.id)}
      @click=${(event: MouseEvent) => (event.shiftKey ? this.#chooseTo(photo.id) : this.#select(photo.id))}>
      <canvas aria-hidden="true" width="1" height="1"></canvas>
      <span class="name">${isolated(photo.name)}</span>
      ${this.view === 'pictures' ? this.#kind(photo) : nothing}
    </button>`;
  }

  #tick(photo: Photo) {
    return html`<label><input type="checkbox" tabindex=${photo.id === this.#tab ? 0 : -1}
      .checked=${live(this.chosen.has(photo.id))}
      aria-label=${say('review.select', { name: printable(photo.name) })}
      @click=${(event: MouseEvent) => (event.shiftKey ? this.#chooseTo(photo.id) : this.#choose(photo.id))} /></label>`;
  }

  #window(count: number) {
    const { top, height } = this.place;
    return rowsInView(count, ROW[this.view] * this.#rem, top, height || 480);
  }

  #leadTo(drawn: readonly Photo[]): void {
    this.#tab = drawn.some(({ id }) => id === this.active) ? this.active : (drawn[0]?.id ?? null);
  }

  #pictures() {
    this.#columns = Math.max(1, Math.floor((this.place.width || 320) / (TILE * this.#rem)));
    const rows = Math.ceil(this.#shown.length / this.#columns);
    const { first, end } = this.#window(rows);
    const total = this.#shown.length;
    const drawn = this.#shown.slice(first * this.#columns, end * this.#columns);
    this.#leadTo(drawn);
    const lines = Array.from({ length: end - first }, (_, row) =>
      drawn.slice(row * this.#columns, (row + 1) * this.#columns),
    );
    return html`<div data-space=${first}></div>
      <div role="list" aria-label=${say('review.title')}>${lines.map(
        (line, row) =>
          html`<div class="row" role="presentation">${Array.from({ length: this.#columns }, (_, column) => {
            const photo = line[column];
            if (!photo) return html`<span role="presentation"></span>`;
            return html`<div class="tile" role="listitem" aria-setsize=${total}
            aria-posinset=${(first + row) * this.#columns + column + 1}>${this.#tick(photo)}${this.#open(photo)}</div>`;
          })}</div>`,
      )}</div>
      <div data-space=${rows - end}></div>`;
  }

  #table() {
    this.#columns = 1;
    const { first, end } = this.#window(this.#shown.length);
    const drawn = this.#shown.slice(first, end);
    this.#leadTo(drawn);
    return html`<table aria-rowcount=${this.#shown.length + 1} aria-label=${say('review.title')}>
      <thead><tr aria-rowindex="1">
        <th scope="col" class="narrow"><span class="visually-hidden">${say('review.column.select')}</span></th>
        <th scope="col" class="wide">${say('review.column.photo')}</th>
        <th scope="col">${say('review.kind')}</th>
        <th scope="col">${say('review.column.score')}</th>
        <th scope="col">${say('review.column.reader')}</th>
      </tr></thead>
      <tbody>
        <tr class="space" aria-hidden="true"><td colspan="5" data-space=${first}></td></tr>
        ${repeat(
          drawn,
          ({ id }) => id,
          (photo, row) => html`<tr class="line" aria-rowindex=${first + row + 2}>
            <td>${this.#tick(photo)}</td>
            <td>${this.#open(photo)}</td>
            <td>${this.#kind(photo)}</td>
            <td><div>${this.#hidden(photo.id) ? nothing : medical(() => this.#score(photo))}</div></td>
            <td><div>${labelWords(this.#read.readings.get(photo.id)?.label ?? '', this.#classes)}</div></td>
          </tr>`,
        )}
        <tr class="space" aria-hidden="true">
          <td colspan="5" data-space=${this.#shown.length - end}></td>
        </tr>
      </tbody>
    </table>`;
  }

  #score(photo: Photo): string {
    const score = scoreOf(photo);
    const first = photo.state.kind === 'done' ? photo.state.result.ranking[0] : undefined;
    return score === null || !first ? '' : `${categoryName(first)} ${percent(score)}`;
  }

  /** Moves the focus to a photo, or to the list where it is not among those that are listed. */
  focusOn(id: number): void {
    const at = this.#shown.findIndex((photo) => photo.id === id);
    if (at < 0) return this.#list?.focus();
    this.active = id;
    this.#move(0);
    this.requestUpdate();
  }

  #select(id: number): void {
    this.active = id;
    this.#from = id;
    emit(this, 'select', id);
  }

  #choose(id: number): void {
    const chosen = new Set(this.chosen);
    if (!chosen.delete(id)) chosen.add(id);
    this.chosen = chosen;
    this.#from = id;
  }

  /** All from the one that was last chosen or opened. */
  #chooseTo(id: number): void {
    const ids = this.#shown.map((photo) => photo.id);
    const [a, b] = [ids.indexOf(this.#from ?? id), ids.indexOf(id)].sort((x, y) => x - y) as [number, number];
    this.chosen = new Set([...this.chosen, ...ids.slice(Math.max(0, a), b + 1)]);
    this.requestUpdate();
  }

  #key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const forwards = getComputedStyle(this).direction === 'rtl' ? -1 : 1;
    const page = Math.max(1, Math.floor(this.place.height / (ROW[this.view] * this.#rem)) - 1) * this.#columns;
    const steps: Readonly<Record<string, number>> = {
      ArrowRight: forwards,
      ArrowLeft: -forwards,
      ArrowDown: this.#columns,
      ArrowUp: -this.#columns,
      PageDown: page,
      PageUp: -page,
      Home: -this.#shown.length,
      End: this.#shown.length,
    };
    const step = steps[event.key];
    const photo = this.#shown.find(({ id }) => id === this.active);
    if (step !== undefined) this.#move(step);
    else if (!photo) return;
    else if (event.key === 'Delete') {
      this.#focusActive = true;
      emit(this, 'remove', new Set([photo.id]));
    } else if (event.key.toLowerCase() === 'x') this.#choose(photo.id);
    else if (event.key.toLowerCase() === 'a') this.#agree(photo);
    else if (event.key.toLowerCase() === 'd') this.#disagree(photo);
    else return;
    event.preventDefault();
  }

  #move(by: number): void {
    const at = this.#shown.findIndex(({ id }) => id === this.active);
    const to = Math.min(this.#shown.length - 1, Math.max(0, at + by));
    this.active = this.#shown[to]?.id ?? null;
    const window = this.#list;
    if (!window) return;
    const height = ROW[this.view] * this.#rem;
    const top = Math.floor(to / this.#columns) * height;
    // The head of the table stays over its first row.
    const head = this.view === 'table' ? height : 0;
    if (top < window.scrollTop) window.scrollTop = top;
    else if (top + height + head > window.scrollTop + window.clientHeight)
      window.scrollTop = top + height + head - window.clientHeight;
    this.#measure();
    this.#focusActive = true;
  }

  #agree(photo: Photo): void {
    if (photo.state.kind !== 'done' || this.#hidden(photo.id) || !mayName(photo.state.result)) return;
    this.#keep(photo.id, photo.state.result.ranking[0]?.id ?? '');
  }

  #disagree(photo: Photo): void {
    this.#select(photo.id);
    void this.updateComplete.then(() => this.renderRoot.querySelector('dermlet-reading')?.choose());
  }

  #keep(id: number, label: string): void {
    if (!this.session || label === '') return;
    // Of one that was answered before, the network's answer has been seen.
    const before = this.#read.readings.get(id);
    const category = this.#classes.find((one) => one.id === label);
    const reading: Reading = {
      label,
      category: category ? plainName(category) : null,
      first: before?.label === label ? before.first : this.#hidden(id),
    };
    this.session.setReading(id, reading);
    this.#tellHidden();
  }

  /** Answers of a category that this network lacks: nothing is lost without a word. */
  #aside() {
    const { aside } = this.#read;
    if (aside.length === 0) return nothing;
    const names = [...new Set(aside.map(({ category }) => isolated(category ?? '')))];
    return medical(() => say('review.aside', { count: aside.length, names: list(names, 'and') }));
  }

  #reading(session: Session) {
    const photo = session.selected;
    if (photo?.state.kind !== 'done') return nothing;
    return html`<dermlet-reading .photo=${photo} .classes=${this.#classes}
      .reading=${this.#read.readings.get(photo.id) ?? null} ?hides=${this.#hidden(photo.id)} ?blind=${this.blind}
      @keep=${({ detail }: CustomEvent<string>) => this.#keep(photo.id, detail)}
      @next=${() => this.#next()}
      @answer=${() => this.#goToAnswer()}
    ></dermlet-reading>`;
  }

  /** To what the element shows below the list, with the focus: keys go on from there. */
  #goToAnswer(): void {
    const answers = (this.getRootNode() as ShadowRoot).querySelector<HTMLElement>('.answers');
    if (!answers) return;
    // For this alone: it is no place where the focus goes by itself.
    answers.tabIndex = -1;
    answers.addEventListener('blur', () => answers.removeAttribute('tabindex'), { once: true });
    answers.focus({ preventScroll: true });
    answers.scrollIntoView({ block: 'start' });
  }

  #next(): void {
    const next = this.#shown.find((photo) => photo.state.kind === 'done' && !this.#read.readings.has(photo.id));
    if (next) this.#select(next.id);
  }

  protected override updated(changed: PropertyValues): void {
    if (changed.has('view' as keyof DermletReview)) this.#list?.scrollTo(0, 0);
    for (const space of this.renderRoot.querySelectorAll<HTMLElement>('[data-space]'))
      space.style.height = `${Number(space.dataset.space) * ROW[this.view] * this.#rem}px`;
    const { photos } = this;
    for (const button of this.renderRoot.querySelectorAll<HTMLElement>('[data-id]')) {
      const photo = photos.find(({ id }) => String(id) === button.dataset.id);
      const picture = pictureOf(photo);
      const canvas = button.querySelector('canvas');
      if (!canvas) continue;
      if (picture && photo?.state.kind === 'done')
        drawThumbnail(canvas, picture, THUMBNAIL, this.#hidden(photo.id) ? null : partSeen(photo.state.result));
      else clear(canvas);
    }
    if (this.#focusActive) {
      const button = this.renderRoot.querySelector<HTMLElement>(`[data-id="${this.active}"]`);
      if (button) button.focus({ preventScroll: true });
      this.#focusActive = false;
    }
  }
}

define('dermlet-review', DermletReview);
