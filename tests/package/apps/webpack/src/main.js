import { Classifier, listModels } from 'dermlet';
import 'dermlet/element';

window.classify = async (address) => {
  const classifier = await Classifier.load('skin-8');
  const result = await classifier.classify(address);
  const { license } = classifier.model;
  // A model is kept after it is ready: no photo waits for that.
  let models = await listModels();
  for (let tries = 0; tries < 100 && !models[0].kept; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    models = await listModels();
  }
  classifier.dispose();
  return { result, license, models: models.map(({ name, kept }) => `${name} ${kept}`) };
};
