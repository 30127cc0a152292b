/**
 * The page around `<dermlet-classifier>`: registers the element with the model to begin with and, once the person can
 * begin, the service worker.
 */
import { register } from '../element/index.js';
import { setLanguage } from '../messages/index.js';
import { firstChoice, offerModels, siteModels } from './choose-model.js';
import './model-choice.js';
import { registerServiceWorker } from './service-worker.js';
import { translate } from './translate.js';

// Not earlier: the service worker fetches the engine's files once more to keep them, and must not take the line from
// the first load.
for (const type of ['dermlet-ready', 'dermlet-error'] as const)
  document.addEventListener(type, registerServiceWorker, { once: true });

const element = document.querySelector('dermlet-classifier')!;
const pageModel = element.getAttribute('model') ?? '';
const listed = siteModels();
const choice = await firstChoice(pageModel, listed);
translate(document, await setLanguage(navigator.languages));
element.setAttribute('model', choice.name);
register();
await offerModels(
  element,
  document.querySelector('dermlet-model-choice')!,
  document.querySelector<HTMLElement>('#weights'),
  pageModel,
  choice,
  listed,
);
