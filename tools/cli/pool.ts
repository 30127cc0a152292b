/** Classifies many pictures or lesions with one or more classifiers, each in its own thread. */
import { Classifier, type Crop, DermletError, type Result } from '../../web/src/classifier/node/index.js';

export interface TaskPicture {
  path: string;
  /** Default: `Task.options.modality`, else recognised from the picture. */
  modality?: string;
  crop?: Crop;
}

/**
 * One picture, or two pictures of a lesion, whose `result.lesion` has the answer for each. Test-time
 * augmentation applies to both kinds.
 */
export interface Task {
  pictures: readonly TaskPicture[];
  options: { modality?: string; testTimeAugmentation?: boolean; explain?: boolean | string };
}

export type Answer = { ok: true; result: Result } | { ok: false; error: DermletError };

function classifyTask(classifier: Classifier, { pictures, options }: Task): Promise<Result> {
  if (pictures.length === 1) {
    const { path, ...own } = pictures[0]!;
    return classifier.classify(path, { ...options, ...own });
  }
  return classifier.classify(
    pictures.map(({ path, ...own }) => ({ picture: path, ...own })),
    options,
  );
}

async function answerTo(classifier: Classifier, task: Task): Promise<Answer> {
  try {
    return { ok: true, result: await classifyTask(classifier, task) };
  } catch (error) {
    if (!(error instanceof DermletError)) throw error;
    return { ok: false, error };
  }
}

/**
 * Calls `onAnswer` once per task, in the order in which they finish.
 * @param jobs number of parallel classifiers
 * @throws DermletError if a classifier cannot be started
 */
export async function classifyAll(
  model: string,
  tasks: readonly Task[],
  jobs: number,
  onAnswer: (answer: Answer, index: number) => void,
): Promise<void> {
  let next = 0;
  const work = async () => {
    const classifier = await Classifier.load(model, { idleTimeout: 0 });
    try {
      while (next < tasks.length) {
        const index = next++;
        onAnswer(await answerTo(classifier, tasks[index]!), index);
      }
    } finally {
      classifier.dispose();
    }
  };
  await Promise.all(Array.from({ length: Math.min(jobs, tasks.length) }, work));
}
