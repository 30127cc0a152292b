/**
 * How pictures were framed, and how often their modality was recognised correctly.
 */
import type { Framing } from '../../web/src/classifier/node/index.js';
import { plainPercent } from '../../web/src/messages/index.js';
import { say } from './say.js';
import { type Answered, grouped } from './scored.js';
import { share } from './statistics.js';

export interface LookingFigures {
  pictures: number;
  framings: Partial<Record<Framing, number>>;
  /**
   * Share of correctly recognised modalities, among pictures with a stated modality and a model that recognises them;
   * null if there are none.
   */
  modalityRight: { pictures: number; share: number | null };
}

function figuresOf(answers: readonly Answered[]): LookingFigures {
  const framings: LookingFigures['framings'] = {};
  for (const { framing } of answers) framings[framing] = (framings[framing] ?? 0) + 1;
  const recognisable = answers.filter(({ row, recognised }) => recognised !== undefined && row.modality !== '');
  return {
    pictures: answers.length,
    framings,
    modalityRight: {
      pictures: recognisable.length,
      share: share(recognisable.map(({ row, recognised }) => recognised === row.modality)) ?? null,
    },
  };
}

/** By modality and set; negatives by label and kind. */
export function lookingFigures(answers: readonly Answered[], isNegative: (answer: Answered) => boolean) {
  const lesions = answers.filter((answer) => !isNegative(answer));
  const by = (rows: readonly Answered[], key: (answer: Answered) => string) =>
    Object.fromEntries(grouped(rows, key).map(([name, own]) => [name, figuresOf(own)]));
  return {
    byModality: by(lesions, ({ modality }) => modality),
    bySet: by(lesions, ({ row }) => row.set),
    negatives: by(
      answers.filter(isNegative),
      ({ row }) => `${row.label}: ${row.sourceLabel.split('/')[0] || row.label}`,
    ),
  };
}

/** One line per set, for the terminal. */
export function lookingReport({ bySet, negatives }: ReturnType<typeof lookingFigures>): string {
  const line = ([name, { pictures, framings, modalityRight }]: [string, LookingFigures]) => {
    const ways = Object.entries(framings).map(([framing, count]) => `${framing} ${count}`);
    const line = say('cli.looking.set', { name, count: pictures, framings: ways.join(', ') });
    const correct = modalityRight.share;
    return `  ${correct === null ? line : say('cli.looking.recognised', { line, share: plainPercent(correct, 1) })}`;
  };
  return [say('cli.looking.title'), ...[...Object.entries(bySet), ...Object.entries(negatives)].map(line)].join('\n');
}
