/** How often a reader and the network agree. */
export interface Pair {
  /** The reader's category, by id, or a label of her own. */
  readonly reader: string;
  /** Id of the network's first category. */
  readonly network: string;
}

export interface Agreement {
  /** Pictures that stand behind it. */
  readonly count: number;
  readonly agreed: number;
  /** Share, 0..1; null without pictures. */
  readonly share: number | null;
  /**
   * Cohen's kappa, -1..1: agreement beyond what chance would give. Null where it is not defined: without pictures, or
   * where both gave one and the same category throughout.
   */
  readonly kappa: number | null;
}

export function agreementOf(pairs: readonly Pair[]): Agreement {
  const count = pairs.length;
  const agreed = pairs.filter(({ reader, network }) => reader === network).length;
  if (count === 0) return { count, agreed, share: null, kappa: null };
  const share = agreed / count;
  const times = (side: keyof Pair, label: string) => pairs.filter((pair) => pair[side] === label).length;
  const labels = new Set(pairs.map(({ reader }) => reader));
  // Integers until the last step: categories of one and the same throughout give exactly `count` squared.
  const together = [...labels].reduce((sum, label) => sum + times('reader', label) * times('network', label), 0);
  const chance = together / count ** 2;
  return { count, agreed, share, kappa: chance === 1 ? null : (share - chance) / (1 - chance) };
}
