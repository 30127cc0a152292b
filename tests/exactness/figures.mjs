// Lines that `npm test` shows beneath the counts: what ran and how long it took.
import { appendFileSync } from 'node:fs';

/** @param {string} text */
export function figure(text) {
  console.log(text);
  if (process.env.DERMLET_FIGURES) appendFileSync(process.env.DERMLET_FIGURES, `${text}\n`);
}
