import { Classifier, listModels } from 'dermlet';
import 'dermlet/element';

window.classify = async (address) => {
  const classifier = await Classifier.load('skin-8');
  const result = await classifier.classify(address);
  const { license } = classifier.model;
  classifier.dispose();
  return { result, license, models: (await listModels()).map(({ name, kept }) => `${name} ${kept}`) };
};
