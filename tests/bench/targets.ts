/** Targets beside what was measured. */

export interface Target {
  name: string;
  measured: number;
  limit: number;
  /** Whether the limit is the least that is wanted, not the most. */
  least?: boolean;
  /** By how much two measurements of the same differ here: a miss by no more is no failure. */
  noise: number;
  words: (value: number) => string;
}

/** Prints a line for each; whether none was missed by more than noise. */
export function tellTargets(targets: readonly Target[]): boolean {
  console.log('\nTargets');
  let fine = true;
  for (const { name, measured, limit, least = false, noise, words } of targets) {
    const over = least ? limit - measured : measured - limit;
    const verdict = over <= 0 ? 'met' : over <= noise ? 'missed, within noise' : 'missed';
    // What was not measured is not met.
    if (!(over <= noise)) fine = false;
    console.log(`  ${name}: ${words(measured)}, target ${least ? '>=' : '<='} ${words(limit)}: ${verdict}`);
  }
  return fine;
}
