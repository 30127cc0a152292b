/** Classifies many pictures or lesions, by one classifier or several at once; each has a thread of its own. */
import { Classifier, type Crop, DermletError, type Result } from '../../web/src/classifier/node/index.js';

export interface TaskPicture {
  path: string;
  /** `Task.options.modality`, else whichever the picture looks like, when absent. */
  modality?: string;
  crop?: Crop;
}

/**
 * One picture, or the two pictures of one lesion: `result.lesion` then says what each came to alone. `options.thorough`
 * works for both.
 */
export interface Task {
  pictures: readonly TaskPicture[];
  options: { modality?: string; thorough?: boolean; explain?: boolean | string };
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
 * Answers every task once through `onAnswer`, in the order in which answers are ready.
 * @param jobs classifiers at once
 * @throws DermletError when a classifier cannot be started at all
 */
export async function classifyAll(
  model: string,
  tasks: readonly Task[],
  jobs: number,
  onAnswer: (answer: Answer, index: number) => void,
): Promise<void> {
  let next = 0;
  const line = async () => {
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
  await Promise.all(Array.from({ length: Math.min(jobs, tasks.length) }, line));
}
