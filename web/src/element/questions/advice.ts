/**
 * What a person's answers make of the advice. They only ever raise it: a network sees one picture, not what happened to
 * the skin. No DOM, no words.
 *
 * The rules follow published guidance on whom to refer, as it is commonly summarised, and go further where that is the
 * more careful side: any single sign asks for at least a look; bleeding, a wound that does not heal on the head or from
 * 50 on, and any sign after an earlier skin cancer or with a weak immune system ask for a soon one. What they rest on:
 * - NICE NG12 (Suspected cancer, 1.7.1): the weighted 7-point checklist. Change in size, irregular shape and irregular
 *   colour count 2 each; 7 mm or more across, inflammation, oozing and change in sensation 1 each; 3 or more: an urgent
 *   referral. NICE CKS (Melanoma, referral): with doubt or a recent change, one is reason enough to be seen.
 * - NICE NG12, 1.7.3: a lump that may be a nodular melanoma, with colour or without: urgent. How it looks: raised, firm
 *   and growing for a month (Kelly and others, 2003; Cancer Council Australia, optimal care pathway).
 * - Marsden and others, Revised UK guidelines for cutaneous melanoma, 2010, and NICE CKS: a new mole that changes, one
 *   that bleeds, a new line in a nail, something that grows under a nail: urgent.
 * - NHS, melanoma: also found on palms, soles and genitals, where a new or changed mark is as much of a reason.
 * - NHS, skin cancer other than melanoma: what has not healed after four weeks is to be seen. NICE NG12, 1.7.4 and
 *   1.7.6: sooner where squamous cell carcinoma is likelier or delay matters more: on head and neck, in later life,
 *   with a weak immune system, after an earlier skin cancer.
 */
import type { Tier } from '../../classifier/index.js';

/** What can be ticked. */
export const SIGNS = [
  'new',
  'size',
  'shape',
  'colour',
  'wide',
  'inflamed',
  'bleeds',
  'itches',
  'unhealed',
  'lump',
  'earlier',
  'immune',
] as const;
export type Sign = (typeof SIGNS)[number];

export const AGES = ['under50', 'from50'] as const;
export type Age = (typeof AGES)[number];

export const PLACES = ['head', 'trunk', 'limbs', 'hands', 'nail', 'genitals'] as const;
export type Place = (typeof PLACES)[number];

/** A photo's answers: what is not there was not answered. */
export interface Answers {
  readonly signs: readonly Sign[];
  readonly age: Age | null;
  readonly place: Place | null;
}

export const NO_ANSWERS: Answers = { signs: [], age: null, place: null };

/** An answer that is a reason. */
export type Reason = Sign | 'from50' | 'head' | 'hands' | 'nail' | 'genitals';

export interface Advice {
  readonly tier: Tier;
  /** Whether the answers ask for more than the network's tier does. */
  readonly raised: boolean;
  /** The answers that ask for what is advised, in the order of the questions; empty where none does. */
  readonly because: readonly Reason[];
}

const POINTS: Partial<Record<Reason, number>> = {
  size: 2,
  shape: 2,
  colour: 2,
  wide: 1,
  inflamed: 1,
  bleeds: 1,
  itches: 1,
};
const URGENT_POINTS = 3;

/** Of these none is alone a reason: they make others one. */
const PLACES_THAT_RAISE = ['head', 'hands', 'nail', 'genitals'] as const;
const REASONS: readonly Reason[] = [...SIGNS, 'from50', ...PLACES_THAT_RAISE];

/** All of one of the first, and any one of the second. */
interface Rule {
  readonly all: readonly Reason[];
  readonly any?: readonly Reason[];
}

const CHANGED = ['size', 'shape', 'colour'] as const;

const HIGH: readonly Rule[] = [
  { all: ['bleeds'] },
  { all: ['lump'] },
  { all: ['new'], any: [...CHANGED, 'itches', 'nail', 'hands', 'genitals'] },
  { all: ['nail'], any: CHANGED },
  { all: ['hands'], any: CHANGED },
  { all: ['genitals'], any: CHANGED },
  { all: ['unhealed'], any: ['head', 'from50'] },
  { all: ['earlier'], any: ['new', ...CHANGED, 'itches', 'inflamed', 'unhealed'] },
  { all: ['immune'], any: ['new', ...CHANGED, 'itches', 'inflamed', 'unhealed'] },
];

/** Each of the signs alone: this page cannot tell what is behind it. */
const MODERATE: readonly Rule[] = SIGNS.map((sign) => ({ all: [sign] }));

/** The greater, the sooner. Nothing can be said of an unknown one, so each answer counts. */
const RANK: Readonly<Record<Tier, number>> = { unknown: 0, low: 1, moderate: 2, high: 3 };

function given({ signs, age, place }: Answers): ReadonlySet<Reason> {
  const placed = PLACES_THAT_RAISE.filter((each) => each === place);
  return new Set<Reason>([...signs, ...(age === 'from50' ? [age] : []), ...placed]);
}

/** The answers that make these rules hold; empty: none does. */
function reasons(rules: readonly Rule[], said: ReadonlySet<Reason>): Reason[] {
  return rules.flatMap(({ all, any }) => {
    const some = any?.filter((reason) => said.has(reason));
    return all.every((reason) => said.has(reason)) && some?.length !== 0 ? [...all, ...(some ?? [])] : [];
  });
}

function checklist(said: ReadonlySet<Reason>): Reason[] {
  const counted = [...said].filter((reason) => POINTS[reason]);
  const points = counted.reduce((sum, reason) => sum + POINTS[reason]!, 0);
  return points >= URGENT_POINTS ? counted : [];
}

/** @param tier the network's; what is advised is never less */
export function adviceOf(tier: Tier, answers: Answers): Advice {
  const said = given(answers);
  const high = [...reasons(HIGH, said), ...checklist(said)];
  const moderate = reasons(MODERATE, said);
  const asked: Tier | null = high.length > 0 ? 'high' : moderate.length > 0 ? 'moderate' : null;
  if (asked === null || RANK[asked] < RANK[tier]) return { tier, raised: false, because: [] };
  const because = new Set(asked === 'high' ? high : moderate);
  return {
    tier: asked,
    raised: RANK[asked] > RANK[tier],
    because: REASONS.filter((reason) => because.has(reason)),
  };
}
