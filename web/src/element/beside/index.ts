/**
 * `<dermlet-beside>`: the same photo, looked at in the same way by another of the site's networks, beside the answer.
 * That network has a worker of its own, which ends when this is closed.
 */
import { css, LitElement, nothing, type PropertyValues } from 'lit';
import { property, state } from 'lit/decorators.js';
import {
  Classifier,
  type DermletError,
  type LoadProgress,
  listModels,
  type ModelSummary,
  type Result,
} from '../../classifier/index.js';
import { agreement, say } from '../../messages/beside.js';
import { isolated, megabytes, tierWords, verdict } from '../../messages/index.js';
import { cardOf } from '../card.js';
import { define } from '../emit.js';
import { html } from '../html.js';
import { tierIcons } from '../icons.js';
import { Latest } from '../latest.js';
import { medical } from '../medical.js';
import { asDermletError, type Photo, type Session } from '../session.js';
import { withIsolated } from '../strangers.js';
import { base, field } from '../styles.js';
import type { Subject, ToolPart } from '../tools.js';

/** The other network's answer to a photo, and the answer that it stands beside. */
interface Answered {
  readonly first: Result;
  readonly second: Result;
}

const folderOf = ({ assetBase }: Session) => (assetBase ? { assetBase: new URL(assetBase, document.baseURI) } : {});

/** The photo, or the two of one spot, as the answer's were looked at. */
function lookAgain(classifier: Classifier, { file, state, modality, crop, closer }: Photo, signal: AbortSignal) {
  const seen = state.kind === 'done' ? state.seen : { modality, crop, closer };
  const optionsOf = (one: Pick<Photo, 'modality' | 'crop'>) => ({
    ...(one.modality ? { modality: one.modality } : {}),
    ...(one.crop ? { crop: one.crop } : {}),
  });
  const options = { signal, testTimeAugmentation: seen.closer?.thorough ?? false };
  const other = seen.closer?.other;
  return other
    ? classifier.classify(
        [
          { picture: file, ...optionsOf(seen) },
          { picture: other.file, ...optionsOf(other) },
        ],
        options,
      )
    : classifier.classify(file, { ...options, ...optionsOf(seen) });
}

export class DermletBeside extends LitElement implements ToolPart {
  static override styles = [
    base,
    field,
    css`
      .parts,
      section {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        justify-items: start;
        gap: 0.6rem;
        overflow-wrap: anywhere;
      }
      .parts {
        gap: 1.25rem;
      }
      h3 {
        font-size: 1.05rem;
      }
      label {
        display: grid;
        gap: 0.3rem;
        width: min(26rem, 100%);
        font-weight: 600;
      }
      .muted {
        color: var(--muted);
        font-size: 0.95rem;
      }
      .two {
        display: grid;
        grid-template-columns: repeat(auto-fit, minmax(min(14rem, 100%), 1fr));
        gap: 1rem;
        width: 100%;
      }
      .two section {
        align-content: start;
        padding: 0.8rem 1rem;
        border: 1px solid var(--edge);
        border-radius: 0.9rem;
      }
      .verdict {
        font-family: var(--serif);
        font-size: 1.15rem;
        line-height: 1.35;
      }
      .tier {
        display: flex;
        gap: 0.6rem;
        font-weight: 600;
      }
      .tier svg {
        flex: none;
      }
      .said {
        font-weight: 600;
      }
      dermlet-scores-card,
      details {
        width: 100%;
      }
    `,
  ];

  @property({ attribute: false }) subject: Subject | null = null;
  /** The site's other networks; null: not known yet. */
  @state() private models: readonly ModelSummary[] | null = null;
  /** Name of the one that is chosen. */
  @state() private chosen = '';
  @state() private busy: 'loading' | 'looking' | null = null;
  @state() private progress: LoadProgress | null = null;
  @state() private answered: Answered | null = null;
  @state() private fault: DermletError | null = null;

  /** The network that was asked last, which is asked about the next photo too. */
  #classifier: Classifier | null = null;
  /** What is under way; a later one ends it. */
  readonly #asking = new Latest();
  /** The answer that it was last asked beside. */
  #asked: Result | null = null;
  /** Whose list of networks is shown. */
  #listed: Session | null = null;

  override disconnectedCallback(): void {
    this.#leave();
    super.disconnectedCallback();
  }

  protected override willUpdate(_changed: PropertyValues): void {
    const { subject } = this;
    if (!this.isConnected || !subject?.model) return;
    if (this.#listed !== subject.session) {
      this.#leave();
      this.#listed = subject.session;
      void this.#list(subject.session);
    }
    if (this.#classifier && this.#asked !== subject.result) void this.#ask(this.#classifier);
  }

  #leave(): void {
    this.#asking.stop();
    this.#classifier?.dispose();
    this.#classifier = null;
    this.#asked = null;
    this.#listed = null;
    this.answered = null;
    this.fault = null;
    this.busy = null;
  }

  async #list(session: Session): Promise<void> {
    this.models = null;
    try {
      const models = await listModels(folderOf(session));
      if (this.#listed !== session) return;
      this.models = models.filter(({ cardUrl }) => cardUrl !== this.subject?.model?.cardUrl);
      this.chosen = this.models[0]?.name ?? '';
    } catch (error) {
      if (this.#listed === session) this.fault = asDermletError(error);
    }
  }

  async #run(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    this.fault = null;
    this.answered = null;
    await this.#asking.run(work, (error) => {
      this.fault = error;
      this.busy = null;
    });
  }

  /** Fetches the chosen network, then asks it. */
  async #begin(): Promise<void> {
    const { subject } = this;
    const model = this.models?.find(({ name }) => name === this.chosen);
    if (!subject || !model) return;
    this.#classifier?.dispose();
    this.#classifier = null;
    let loaded: Classifier | null = null;
    await this.#run(async (signal) => {
      this.busy = 'loading';
      this.progress = null;
      const onProgress = (progress: LoadProgress) => {
        if (!signal.aborted) this.progress = progress;
      };
      loaded = await Classifier.load(model.url, { ...folderOf(subject.session), signal, onProgress });
      if (signal.aborted) return loaded.dispose();
      this.#classifier = loaded;
    });
    if (loaded && this.#classifier === loaded) await this.#ask(loaded);
  }

  async #ask(classifier: Classifier): Promise<void> {
    const { subject } = this;
    if (!subject) return;
    const { photo, result: first } = subject;
    this.#asked = first;
    await this.#run(async (signal) => {
      this.busy = 'looking';
      const second = await lookAgain(classifier, photo, signal);
      if (!signal.aborted) this.answered = { first, second };
    });
  }

  override render() {
    if (!this.subject) return nothing;
    const { models, answered, fault } = this;
    return html`<div class="parts">
      <section>
        <p>${say('beside.lead')}</p>
        ${models && this.#choice(models)}
      </section>
      <p role="status" class="muted">${this.#status()}</p>
      ${
        this.busy === 'loading'
          ? html`<dermlet-load-progress .load=${{ kind: 'loading', progress: this.progress, stalled: false }}>
            </dermlet-load-progress>`
          : nothing
      }
      ${
        fault
          ? html`<dermlet-notice .error=${fault} about="model" retry-label=${say('run.retry')}
              @retry=${() => this.#again()}></dermlet-notice>`
          : nothing
      }
      ${answered ? this.#both(answered) : nothing}
    </div>`;
  }

  #status(): string {
    if (this.models === null && !this.fault) return say('beside.listing');
    return this.busy ? say(`beside.${this.busy}`) : '';
  }

  #again(): void {
    const session = this.subject?.session;
    this.fault = null;
    if (this.models === null && session) void this.#list(session);
    else if (this.#classifier) void this.#ask(this.#classifier);
    else void this.#begin();
  }

  #choice(models: readonly ModelSummary[]) {
    const model = models.find(({ name }) => name === this.chosen);
    if (!model) return html`<p data-none>${say('beside.none')}</p>`;
    const choose = (event: Event) => (this.chosen = (event.target as HTMLSelectElement).value);
    return html`<label><span>${say('beside.which')}</span>
        <select @change=${choose}>
          ${models.map(
            ({ name, title, version }) =>
              html`<option value=${name} .selected=${name === this.chosen}>${say('beside.option', {
                title: isolated(title),
                name: isolated(name),
                version: isolated(version),
              })}</option>`,
          )}
        </select></label>
      <p class="muted">${model.kept ? say('beside.kept') : say('beside.download', { size: megabytes(model.bytes) })}</p>
      <button type="button" data-do="ask" ?disabled=${this.busy !== null} @click=${() => void this.#begin()}>${say(
        'beside.do',
      )}</button>`;
  }

  #both({ first, second }: Answered) {
    const said = agreement(first, second);
    return html`<p class="said" data-agreement=${said}>${medical(() => say(`beside.${said}`))}</p>
      <div class="two">
        ${this.#answer('first', first)} ${this.#answer('second', second)}
      </div>
      <p>${medical(() => say('beside.note'))}</p>`;
  }

  #answer(which: 'first' | 'second', result: Result) {
    const { name, version } = result.model;
    // What the person has answered stands above too; the networks know nothing of it.
    const raised = which === 'first' ? (this.subject?.photo.said?.raised(result.tier) ?? null) : null;
    const tier = raised?.tier ?? result.tier;
    const card = which === 'second' && this.models?.find((each) => each.name === name);
    const page = card && this.subject ? cardOf(card, this.subject.pages) : null;
    const model = { name: isolated(name), version: isolated(version), count: result.ranking.length };
    return html`<section data-answer=${which} aria-labelledby=${which}>
      <h3 id=${which}>${say(`beside.${which}`)}</h3>
      <p class="muted">${say('beside.model', model)}</p>
      <p class="verdict">${medical(() => verdict(withIsolated(result)))}</p>
      <p class="tier">${tierIcons[tier]}<span>${medical(() => raised?.title() ?? tierWords(tier).title)}</span></p>
      ${which === 'second' ? html`<dermlet-scores-card .result=${result}></dermlet-scores-card>` : nothing}
      ${page ? html`<p><a href=${page.href} target="_blank" rel="noreferrer">${page.words}</a></p>` : nothing}
    </section>`;
  }
}

define('dermlet-beside', DermletBeside);

export const create = (): DermletBeside => new DermletBeside();
