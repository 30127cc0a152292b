/** Says which model is used where one is asked for that is not here; fetched when that is so. */
import type { ModelSummary } from '../classifier/index.js';
import { allWords, modelTitle, onLanguage } from '../messages/index.js';
import { say } from '../messages/open.js';
import type { Unknown } from './choose-model.js';

/** `name`: of the one that is used. `listed`: those to choose from, null where that list does not come. */
export async function tellUnknown(
  place: HTMLElement,
  settings: HTMLDetailsElement,
  by: Unknown,
  name: string,
  listed: Promise<readonly ModelSummary[] | null>,
): Promise<void> {
  await allWords();
  const models = (await listed) ?? [];
  const used = models.find((model) => model.name === name) ?? { name, title: name };
  const words = document.createElement('p');
  const other = document.createElement('a');
  other.href = `#${settings.id}`;
  other.addEventListener('click', () => (settings.open = true));
  const tell = () => {
    words.textContent = say(by === 'address' ? 'open.unknown' : 'open.gone', { name: modelTitle(used) });
    other.textContent = say('open.unknown.other');
  };
  tell();
  onLanguage(tell);
  const note = document.createElement('div');
  note.className = 'notice';
  note.append(words, ...(models.length > 1 ? [other] : []));
  place.append(note);
}
