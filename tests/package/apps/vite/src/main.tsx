/**
 * React 19 with the element, and the classifier beside it; no setting of either is given. `Skin.tsx` and `scored.js`
 * are those of docs/embedding.md.
 */
import { Classifier } from 'dermlet';
import { toPredict } from 'dermlet/handler';
import { createRoot } from 'react-dom/client';
import { Skin } from './Skin';
import { scored } from './scored.js';

createRoot(document.querySelector('#app')!).render(<Skin />);

Object.assign(window, {
  async classify(address: string) {
    const classifier = await Classifier.load();
    const result = await classifier.classify(address);
    const { license } = classifier.model;
    classifier.dispose();
    const photo = await (await fetch(address)).blob();
    return { result, answer: toPredict(result), license, scores: [await scored(photo), await scored(new Blob(['?']))] };
  },
});
