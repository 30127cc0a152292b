/**
 * Where to go first, by country. The words stand in the catalogue (`questions.first.*`, `questions.phone.*`); a fact
 * that is not sure is left out. Chosen by the person; the first guess is by the languages that the browser asks for,
 * never by place or network.
 *
 * What the entries rest on; these publications were not opened anew when the table was written, so look at them before
 * a change:
 * - GB: NHS, Melanoma skin cancer, 'See a GP'; NHS 111, which answers in England, Scotland and Wales.
 * - IE: HSE, Skin cancer, 'See your GP'.
 * - US: American Academy of Dermatology, 'What to look for', 'see a board-certified dermatologist'.
 * - CA: Canadian Cancer Society, 'Finding melanoma early'; Health Canada, 811 in most provinces and territories.
 * - AU: Cancer Council, 'Check for signs of skin cancer', 'see your doctor'; healthdirect 1800 022 222.
 * - NZ: Health New Zealand, 'Melanoma', 'see your healthcare provider'; Healthline 0800 611 116.
 * - DE: Kassenärztliche Bundesvereinigung, Patientenservice 116117; dermatologists can be seen without a referral.
 * - AT: Gesundheitsberatung 1450; dermatologists can be seen without a referral.
 * - CH: Bundesamt für Gesundheit, insurance models with and without free choice of doctor.
 * - FR: Assurance Maladie, 'parcours de soins coordonnés'.
 * - ES: Ministerio de Sanidad, specialists by way of primary care.
 */
export const REGIONS = ['GB', 'IE', 'US', 'CA', 'AU', 'NZ', 'DE', 'AT', 'CH', 'FR', 'ES', 'other'] as const;
export type Region = (typeof REGIONS)[number];

const isRegion = (text: string | null | undefined): text is Region => REGIONS.includes(text as Region);

/** @param languages language tags, the preferred one first; the first that names a country counts */
export function placeOf(languages: readonly string[]): Region {
  for (const tag of languages) {
    try {
      const { region } = new Intl.Locale(tag);
      if (region) return isRegion(region) ? region : 'other';
    } catch {
      // No language tag.
    }
  }
  return 'other';
}

const KEPT_AS = 'dermlet-country';

/** What was chosen before, else by the languages. */
export function rememberedRegion(): Region {
  try {
    const kept = localStorage.getItem(KEPT_AS);
    if (isRegion(kept)) return kept;
  } catch {
    // No storage for this page.
  }
  return placeOf(navigator.languages);
}

/** For the next time, where this page may keep anything. */
export function rememberRegion(region: Region): void {
  try {
    localStorage.setItem(KEPT_AS, region);
  } catch {
    // Then it is chosen again.
  }
}
