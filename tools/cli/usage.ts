import type { Crop, ModelInfo } from '../../web/src/classifier/node/index.js';

/** Wrong use of the command line: exit status 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** A whole number of at least 1. @throws UsageError */
export function positiveInteger(text: string, option: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < 1)
    throw new UsageError(`${option} must be a whole number of at least 1, not '${text}'.`);
  return value;
}

/** @throws UsageError */
export function parseCrop(text: string): Crop {
  if (text === 'auto' || text === 'whole') return text;
  const numbers = text.split(',').map((part) => (/^\s*\d+\s*$/.test(part) ? Number(part) : NaN));
  if (numbers.length !== 4 || numbers.some(Number.isNaN))
    throw new UsageError(`--crop must be auto, whole, or x,y,width,height in whole pixels, not '${text}'.`);
  const [x, y, width, height] = numbers as [number, number, number, number];
  return { x, y, width, height };
}

/** @throws UsageError when the model does not know it */
export function requireModality({ modalities }: ModelInfo, id: string | undefined): void {
  if (id === undefined || modalities.includes(id)) return;
  throw new UsageError(`The model does not know the modality '${id}'; it knows ${modalities.join(', ')}.`);
}

/** Exit statuses, an interface: scripts switch on them. */
export const EXIT = { fine: 0, failed: 1, usage: 2 } as const;

/** As it is started: from a checkout by npm, else by the package's own name. */
const call = (command: string): string =>
  import.meta.url.endsWith('.ts') ? `npm run ${command} --` : `dermlet ${command}`;

export const USAGE = `Use:
  ${call('classify')} FILE|FOLDER... [--json] [--format predict|diagnosis] [--model NAME|FOLDER] [--modality auto|ID]
                      [--crop auto|whole|x,y,w,h]
                      [--thorough] [--explain] [--jobs N]
  ${call('classify')} FILE FILE --lesion [--modality ID,ID] [--crop auto|whole] [--json] [--format predict|diagnosis]
                      [--model NAME|FOLDER] [--thorough] [--explain]
  ${call('evaluate')} --labels LABELS.csv --images DIR --json OUT.json [--predictions OUT.csv] [--set NAME[,NAME]]
                      [--split NAME] [--modality ID]
                      [--merge FROM:INTO[,FROM:INTO]] [--part NAME:SET[,SET][:FROM:INTO[,FROM:INTO]]] [--positive ID]
                      [--malignant ID[,ID]]
                      [--pairs] [--thorough] [--crop auto|whole] [--model NAME|FOLDER] [--jobs N]
  dermlet copy-assets DIR

classify  prints what each picture looks most like. JPEG, PNG, BMP and HEIC; folders are searched for pictures.
  --json      one JSON object for one file, else an array; failed files have "error" in place of a result
  --format    the JSON of the retired servers in place of a result
  --modality  how the picture was taken: auto goes by the picture (default), else an id of the model's. With --lesion
              one for both or one for each
  --crop      what the network is shown: auto a frame around the spot where it is small (default), whole the picture
              as it is, or pixels of the upright picture
  --lesion    the two files are pictures of one lesion and get one result; of different modalities where the model
              says how they are combined
  --thorough  the mean over the eight turns and reflections of each picture; takes about eight times as long
  --explain   adds where in the picture the first-ranked category was seen
  --jobs      engines at once, each in a thread of its own

evaluate  measures the model on labelled pictures: DIR/<set>/<image>, columns set,image,label and, where there,
          group,split,modality,source_label,skin_tone.
  --modality  only the rows of this modality; rows are classified with the calibration of their own
  --crop      auto looks for the spot in each picture (default), whole does not
  --merge     adds one class to another, for benchmarks with fewer classes
  --part      figures of some sets with classes merged in their own way, from the same answers; may be given several
              times
  --pairs     also both pictures of one lesion together (one group and label, a picture of each modality that the
              model combines), set against each alone
  --thorough  the mean over turns and reflections of each picture; takes about eight times as long
  --positive  the class of the one-against-all figures, 'mel' when the model has it
  --malignant classes that together are set against the rest; those of high concern in the manifest when absent
Labels 'other' and 'none' stand for pictures of none of the classes: they count for the refusal figures only.

copy-assets  of the npm package: copies what browsers load, engine and models included, into a folder of a site.

--model is a name in models/ (skin-8 when absent), or the folder of another model.

Exit status: 0 all fine, 1 a file failed (evaluate: no picture could be read), 2 wrong use.`;
