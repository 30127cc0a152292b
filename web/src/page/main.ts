/**
 * The page around `<dermlet-classifier>`: registers the element with its first model and, once that has nothing to do,
 * the service worker.
 */
import { followPrinting, register } from '../element/index.js';
import { setLanguage } from '../messages/index.js';
import { firstChoice, offerModels, siteModels } from './choose-model.js';
import { isFramedByStranger, refuseFrame } from './framed.js';
import './model-choice.js';
import { offerDrawings } from './samples.js';
import { registerServiceWorker, whenIdle } from './service-worker.js';
import { offerThemes } from './theme.js';
import { translate } from './translate.js';

whenIdle(registerServiceWorker);

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
  whenIdle(() => void followPrinting(element));
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
