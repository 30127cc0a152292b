/** From labelled photos to a head. No DOM, and nothing that is kept. */
import type { Classifier, Head, TrainingExample } from '../../classifier/index.js';
import { examples as ofExamples } from '../../classifier/inner.js';
import { asDermletError } from '../session.js';
import { classesFor, countsOf, HeadError, type Labelled } from './labelled.js';

export type Progress =
  | { kind: 'looking'; done: number; total: number }
  /** 0 to 1 */
  | { kind: 'fitting'; share: number };

export interface Wanted {
  readonly title: string;
  readonly crop: 'auto' | 'whole';
  readonly signal: AbortSignal;
  readonly progress: (progress: Progress) => void;
}

export interface Trained {
  readonly head: Head;
  readonly fileName: string;
  /** Photos that could not be looked at, and why. */
  readonly failed: readonly { name: string; code: string }[];
  /** How many were not usable, or show not one spot. */
  readonly leftOut: number;
  /** How many were there already. */
  readonly repeated: number;
}

/** Hexadecimal; null where the browser computes none, outside of a secure context: no file is then known again. */
async function hashOf(file: Blob): Promise<string | null> {
  const { subtle } = globalThis.crypto;
  if (!subtle) return null;
  const hash = new Uint8Array(await subtle.digest('SHA-256', await file.arrayBuffer()));
  return [...hash].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/**
 * Looks at each photo, then trains; photos that cannot be looked at are told and left out.
 * @throws HeadError, DermletError ABORTED, BACKEND_FAILED, DISPOSED
 */
export async function trainOn(
  classifier: Pick<Classifier, 'model' | 'classify' | 'trainHead'>,
  photos: readonly Labelled[],
  { title, crop, signal, progress }: Wanted,
): Promise<Trained> {
  const { classIdOf, showsOne } = await ofExamples();
  const classes = classesFor(countsOf(photos).keys(), classifier.model.classes, classIdOf);
  const labelOf = new Map<string, string>();
  const examples: TrainingExample[] = [];
  const failed: { name: string; code: string }[] = [];
  let leftOut = 0;
  let repeated = 0;
  for (const [done, { file, name, label, group, ...look }] of photos.entries()) {
    progress({ kind: 'looking', done, total: photos.length });
    try {
      const hash = await hashOf(file);
      const known = hash === null ? undefined : labelOf.get(hash);
      if (known !== undefined && known !== label)
        throw new HeadError({ code: 'TWO_CATEGORIES', file: name, one: known, other: label });
      if (known !== undefined) {
        repeated++;
        continue;
      }
      if (hash !== null) labelOf.set(hash, label);
      const result = await classifier.classify(file, {
        embedding: true,
        crop: look.crop ?? crop,
        ...(look.modality === null ? {} : { modality: look.modality }),
        signal,
      });
      const { model, embedding, rejection } = result;
      if (!embedding) throw new HeadError({ code: 'NO_EMBEDDING' });
      if (showsOne(result))
        examples.push({
          result: { model, embedding, rejection },
          label: classes.get(label)!.id,
          ...(group === null ? {} : { group }),
        });
      else leftOut++;
    } catch (error) {
      if (error instanceof HeadError || signal.aborted) throw error;
      const { code } = error instanceof DOMException ? { code: 'UNREADABLE_FILE' } : asDermletError(error);
      if (code === 'DISPOSED') throw error;
      failed.push({ name, code });
    }
  }
  const counts = countsOf(examples);
  for (const [label, { id }] of classes)
    if ((counts.get(id) ?? 0) < 2) throw new HeadError({ code: 'TOO_FEW_PHOTOS', name: label });
  const head = await classifier.trainHead(examples, {
    title,
    crop,
    classes: [...classes.values()],
    signal,
    onProgress: (share) => progress({ kind: 'fitting', share }),
  });
  return { head, fileName: `${classIdOf(title) || 'own'}.head`, failed, leftOut, repeated };
}
