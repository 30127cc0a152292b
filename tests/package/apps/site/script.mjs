// A program of somebody else's: one picture by its path, and by its bytes; then it ends by itself.
import { readFile } from 'node:fs/promises';
import { Classifier, DermletError, withoutImages } from 'dermlet/node';

const path = process.argv[2];
const classifier = await Classifier.load();
const [byPath, byBytes] = await Promise.all([
  classifier.classify(path),
  readFile(path).then((bytes) => classifier.classify(bytes)),
]);
const missing = await classifier
  .classify('no-such-file.jpg')
  .catch((error) => error instanceof DermletError && error.code);
console.log(JSON.stringify({ result: withoutImages(byPath), same: byBytes.ranking, missing }));
