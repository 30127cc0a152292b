/**
 * The page around `<dermlet-classifier>`: registers the element with its first model and, once that has nothing to do,
 * the service worker.
 */
import { type DermletClassifier, followPrinting, imported, nextTask, startAhead } from '../element/index.js';
import { begin } from './begin.js';
import { firstChoice, offerModels, siteModels } from './choose-model.js';
import { isFramedByStranger, refuseFrame } from './framed.js';
import { offerInstall } from './install.js';
import { languageStore, speakAsChosen } from './language.js';
import { takeLaunched } from './launch.js';
import './model-choice.js';
import { answerForServers } from './retired.js';
import { offerDrawings } from './samples.js';
import { registerServiceWorker, whenIdle } from './service-worker.js';
import { offerThemes } from './theme.js';
import { offerTrust } from './trust.js';

whenIdle(registerServiceWorker);

if (isFramedByStranger()) {
  refuseFrame();
  await speakAsChosen();
} else {
  const element = document.querySelector<DermletClassifier>('dermlet-classifier')!;
  // The browser tells early that it could be.
  offerInstall(document.querySelector<HTMLElement>('#install')!);
  await nextTask(); // what was imported has taken one
  startAhead();
  const pageModel = element.getAttribute('model') ?? '';
  const listed = siteModels();
  const choice = await firstChoice(pageModel, listed);
  await speakAsChosen();
  element.setAttribute('model', choice.name);
  await nextTask();
  void begin(element);
  answerForServers(() => element);
  whenIdle(() => void followPrinting(element));
  offerDrawings(element);
  takeLaunched(element, document.querySelector<HTMLElement>('#not-opened')!);
  offerThemes(document.querySelector<HTMLElement>('#theme')!);
  offerTrust(element, document.querySelector<HTMLDetailsElement>('#trust')!);
  const settings = document.querySelector<HTMLDetailsElement>('#settings')!;
  settings.addEventListener('toggle', offerLanguagesOnce, { once: true });
  await offerModels(
    element,
    settings,
    document.querySelector('dermlet-model-choice')!,
    document.querySelector<HTMLElement>('#weights'),
    pageModel,
    choice,
    listed,
  );
}

async function offerLanguagesOnce(): Promise<void> {
  const { offerLanguages } = await imported(() => import('./language-choice.js'));
  offerLanguages(document.querySelector<HTMLSelectElement>('#language')!, languageStore);
}
