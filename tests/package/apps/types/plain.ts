// What a strict application without React compiles.
import { Classifier, type ClassifyInput, DermletError, type Result } from 'dermlet';
import { DermletClassifier } from 'dermlet/element';
import { type Collected, createFrame, FrameError } from 'dermlet/embed';
import { type PredictAnswer, toPredict } from 'dermlet/handler';
import { doctor, say, setLanguage, verdict } from 'dermlet/messages';
import { Classifier as InNode } from 'dermlet/node';

const element: DermletClassifier = new DermletClassifier();
element.model = 'skin-8';
element.addEventListener('dermlet-result', ({ detail }) => detail.result.ranking[0]?.probability.toFixed(2));
// @ts-expect-error: no such way of loading
element.load = 'never';
document.querySelector('dermlet-classifier')?.add([]);

export async function framed(container: Element): Promise<Collected | string> {
  const frame = createFrame(container, { src: 'https://dermlet.example/embed.html', modality: 'photo', photo: true });
  frame.addEventListener('result', ({ detail }) => detail.document.result.tier.toUpperCase());
  // @ts-expect-error: no such event
  frame.addEventListener('upload', () => undefined);
  // @ts-expect-error: a model is named, not brought
  frame.configure({ model: new URL('https://elsewhere.example/') });
  return frame.collect().catch((error) => (error instanceof FrameError ? error.code : ''));
}

export async function use(picture: ClassifyInput): Promise<PredictAnswer> {
  const classifier = await Classifier.load();
  // @ts-expect-error: a number is no picture
  await classifier.classify(5);
  const result: Result = await classifier.classify(picture, { explain: true });
  await setLanguage(navigator.languages);
  console.log(verdict(result), doctor(), say('verdict.named', { name: 'a', score: '83 %' }));
  // @ts-expect-error: an argument is missing
  say('verdict.named', { name: 'a' });
  return toPredict(result);
}

export const inNode = async (): Promise<string> => {
  try {
    return (await (await InNode.load('skin-8')).classify('photo.jpg')).outcome;
  } catch (error) {
    return error instanceof DermletError ? error.code : '';
  }
};
