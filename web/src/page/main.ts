/**
 * The page around `<dermlet-classifier>`: registers the element with its first model and, once that is ready, the
 * service worker.
 */
import { register } from '../element/index.js';
import { setLanguage } from '../messages/index.js';
import { firstChoice, offerModels, siteModels } from './choose-model.js';
import { isFramedByStranger, refuseFrame } from './framed.js';
import './model-choice.js';
import { offerDrawings } from './samples.js';
import { registerServiceWorker } from './service-worker.js';
import { offerThemes } from './theme.js';
import { translate } from './translate.js';

// Not earlier: the service worker fetches the page's files again for its cache, which would slow down the first load.
for (const type of ['dermlet-ready', 'dermlet-error'] as const)
  document.addEventListener(type, registerServiceWorker, { once: true });

if (isFramedByStranger()) {
  refuseFrame();
  translate(document, await setLanguage(navigator.languages));
} else {
  const element = document.querySelector('dermlet-classifier')!;
  const pageModel = element.getAttribute('model') ?? '';
  const listed = siteModels();
  const choice = await firstChoice(pageModel, listed);
  translate(document, await setLanguage(navigator.languages));
  element.setAttribute('model', choice.name);
  register();
  offerDrawings(element);
  offerThemes(document.querySelector<HTMLElement>('#theme')!);
  await offerModels(
    element,
    document.querySelector<HTMLDetailsElement>('#settings')!,
    document.querySelector('dermlet-model-choice')!,
    document.querySelector<HTMLElement>('#weights'),
    pageModel,
    choice,
    listed,
  );
}
