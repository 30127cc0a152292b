/**
 * `<dermlet-tools>`: what a person may do with an answer, a button each. Each tool is a room of its own beside this
 * file, whose scripts and words are fetched when it is first opened: nobody waits for them before an answer.
 */
import { css, type LitElement, nothing } from 'lit';
import { property, state } from 'lit/decorators.js';
import { keyed } from 'lit/directives/keyed.js';
import type { DermletError, ModelInfo, Result } from '../classifier/index.js';
import { imported } from '../classifier/inner.js';
import { allWords, say } from '../messages/index.js';
import type { Pages } from './card.js';
import { define } from './emit.js';
import { html } from './html.js';
import { LaterElement } from './later.js';
import './notice.js';
import { asDermletError, type Photo, type Session } from './session.js';
import { base } from './styles.js';

/** What a tool works on: the photo that is looked at, with its answer. */
export interface Subject {
  readonly session: Session;
  readonly photo: Photo;
  readonly result: Result;
  /** Null while the model is changed. */
  readonly model: ModelInfo | null;
  readonly pages: Pages;
}

/** An opened tool; it gets another subject when another photo is chosen, or this one is looked at again. */
export interface ToolPart extends LitElement {
  subject: Subject | null;
}

/** `tools.<id>` is on its button. */
export interface Tool {
  readonly id: 'questions' | 'where' | 'closer' | 'report' | 'similar' | 'beside' | 'spots' | 'trust';
  /** Fetches the room, which makes a new part of it. */
  readonly room: () => Promise<{ create(): ToolPart }>;
  /** Whether it is offered only to who asks for more: it answers no question of a patient. */
  readonly expert?: boolean;
}

/** The one that is open: until its part has come, or has failed to, it has neither. */
interface Opened {
  readonly tool: Tool;
  readonly part: ToolPart | null;
  readonly error: DermletError | null;
}

/** In the order of the buttons. */
const TOOLS: readonly Tool[] = [
  { id: 'questions', room: () => import('./questions/index.js') },
  { id: 'where', room: () => import('./questions/where.js') },
  { id: 'closer', room: () => import('./closer/index.js') },
  { id: 'report', room: () => import('./report/index.js') },
  { id: 'spots', room: () => import('./spots/index.js') },
  { id: 'trust', room: () => import('./trust/index.js') },
  { id: 'similar', room: () => import('./similar/index.js'), expert: true },
  { id: 'beside', room: () => import('./beside/index.js'), expert: true },
];

/** Whether those for experts were asked for: they are offered with each photo from then on. */
let asked = false;

export class DermletTools extends LaterElement {
  static override styles = [
    base,
    css`
      .tools {
        display: flex;
        flex-wrap: wrap;
        gap: 0.6rem;
      }
      .tools button {
        scroll-margin-block: 0.75rem;
        max-width: 100%;
        overflow-wrap: anywhere;
      }
      #experts {
        margin-top: 0.6rem;
      }
      .open {
        margin-top: 1rem;
        padding: 1.25rem;
        border: 1px solid var(--line);
        border-radius: 1.25rem;
        background: var(--card);
      }
    `,
  ];

  @property({ attribute: false }) subject: Subject | null = null;
  @state() private opened: Opened | null = null;
  /** Whether those for experts are offered. */
  @state() private more = asked;

  override render() {
    if (!this.subject) return nothing;
    const { opened, more } = this;
    return html`<div class="tools" role="group" aria-label=${say('tools.title')}>
        ${TOOLS.filter(({ expert }) => !expert).map((tool) => this.#button(tool))}
        <button type="button" data-do="more" aria-controls="experts" aria-expanded=${more ? 'true' : 'false'}
          @click=${() => this.#more()}>${say('tools.experts')}</button>
      </div>
      <div id="experts" class="tools" role="group" aria-label=${say('tools.experts')} ?hidden=${!more}>
        ${more ? TOOLS.filter(({ expert }) => expert).map((tool) => this.#button(tool)) : nothing}
      </div>
      <div id="opened" class=${opened ? 'open' : ''}>${opened && keyed(opened.tool, this.#opened(opened))}</div>`;
  }

  #button(tool: Tool) {
    return html`<button type="button" data-tool=${tool.id} aria-controls="opened"
      aria-expanded=${this.opened?.tool === tool ? 'true' : 'false'}
      @click=${() => this.#toggle(tool)}>${say(`tools.${tool.id}`)}</button>`;
  }

  /** What is open goes with its button. */
  #more(): void {
    asked = this.more = !this.more;
    if (!this.more && this.opened?.tool.expert) this.opened = null;
  }

  #opened({ tool, part, error }: Opened) {
    if (error) return this.#failed(tool, error);
    if (!part) return html`<p role="status">${say('tools.coming')}</p>`;
    part.subject = this.subject;
    return html`${part}`;
  }

  #failed(tool: Tool, error: DermletError) {
    return html`<dermlet-notice .error=${error} about="model" retry-label=${say('run.retry')}
      @retry=${() => this.#open(tool)}></dermlet-notice>`;
  }

  #toggle(tool: Tool): void {
    if (this.opened?.tool === tool) this.opened = null;
    else void this.#open(tool);
  }

  async #open(tool: Tool): Promise<void> {
    const opening = { tool, part: null, error: null };
    this.opened = opening;
    try {
      // It only scrolls: a tool is opened without it too.
      const showing = imported(() => import('./opened.js')).catch(() => null);
      const { create } = await imported(tool.room);
      const part = create();
      await allWords();
      if (this.opened === opening) this.opened = { tool, part, error: null };
      void showing.then((shown) => shown?.show(this, part)).catch(() => undefined);
    } catch (error) {
      if (this.opened === opening) this.opened = { tool, part: null, error: asDermletError(error) };
    }
  }
}

define('dermlet-tools', DermletTools);
