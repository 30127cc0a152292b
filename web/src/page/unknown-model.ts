/** Says which model is used where the address asks for one that is not here; fetched when that is so. */
import type { ModelSummary } from '../classifier/index.js';
import { modelTitle, onLanguage, say } from '../messages/index.js';

/** `name`: of the one that is used. `models`: those to choose from, if the list has come. */
export function tellUnknown(
  place: HTMLElement,
  settings: HTMLDetailsElement,
  name: string,
  models: readonly ModelSummary[],
): void {
  const used = models.find((model) => model.name === name) ?? { name, title: name };
  const words = document.createElement('p');
  const other = document.createElement('a');
  other.href = `#${settings.id}`;
  other.addEventListener('click', () => (settings.open = true));
  const tell = () => {
    words.textContent = say('model.unknown', { name: modelTitle(used) });
    other.textContent = say('model.unknown.other');
  };
  tell();
  onLanguage(tell);
  const note = document.createElement('div');
  note.className = 'notice';
  note.append(words, ...(models.length > 1 ? [other] : []));
  place.append(note);
}
