/** React 19 with the element, and the classifier beside it; no setting of either is given. */
import { Classifier } from 'dermlet';
import 'dermlet/element';
import { toPredict } from 'dermlet/handler';
import { useState } from 'react';
import { createRoot } from 'react-dom/client';

function App() {
  const [name, setName] = useState('nothing yet');
  return (
    <>
      <dermlet-classifier
        backend="wasm"
        wholePage
        ondermlet-result={(event) => setName(`${event.detail.name}: ${event.detail.result.ranking[0]?.id}`)}
      />
      <output>{name}</output>
    </>
  );
}

createRoot(document.querySelector('#app')!).render(<App />);

Object.assign(window, {
  async classify(address: string) {
    const classifier = await Classifier.load();
    const result = await classifier.classify(address);
    const { license } = classifier.model;
    classifier.dispose();
    return { result, answer: toPredict(result), license };
  },
});
