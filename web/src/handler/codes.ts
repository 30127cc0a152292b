/**
 * Codes for clinics that are this project's or a network's own, for FHIR and DICOM alike. None is verified: nobody has
 * mapped them to SNOMED CT, LOINC or ICD, and each format marks them so in its own way.
 */

/** What is said of a picture and its result, in English: codes are for programs. */
export const CODES = {
  'photo-of-skin-scored': 'Photo of skin, scored by a neural network',
  'in-prediction-set': 'In the prediction set',
  outcome: 'Outcome',
  'outcome-single': 'One category in the prediction set',
  'outcome-several': 'Several categories in the prediction set',
  'outcome-no-spot': 'No spot found, no category named',
  'outcome-several-spots': 'Several spots in the picture, no category named',
  'outcome-poor-quality': 'Picture not usable, no category named',
  'outcome-not-recognised': 'Unlike the training pictures, no category named',
  tier: 'Concern tier',
  modality: 'Kind of picture that the scores are for',
  calibrated: 'Calibrated probability of a neural network',
  'not-calibrated': 'Share of a head of own categories, not calibrated',
  summary: 'Result in words',
  next: 'What to do',
  about: 'What this is and is not',
  frame: 'Part of the picture that the network saw',
  size: 'Size of the picture',
  sha256: 'SHA-256 of the file of the picture',
  'file-name': 'Name of the file of the picture',
  passed: 'Passed',
  'not-passed': 'Not passed',
} as const;

/** An id as a code: both formats refuse empty codes and blanks at their ends. */
export const codeOf = (id: string): string => id.trim().replace(/\s+/g, ' ') || 'unnamed';

const uuidFrom = (bytes: Uint8Array, version: number): string => {
  const own = bytes.slice(0, 16);
  own[6] = (own[6]! & 0x0f) | (version << 4);
  own[8] = (own[8]! & 0x3f) | 0x80;
  return [...own].map((byte) => byte.toString(16).padStart(2, '0')).join('');
};

const randomUuid = (): string => uuidFrom(crypto.getRandomValues(new Uint8Array(16)), 4);

/** A random UUID; `crypto.randomUUID` is missing from pages that came by plain http. */
export function uuid(): string {
  const hex = randomUuid();
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

const uidFrom = (hex: string): string => `2.25.${BigInt(`0x${hex}`)}`;

/** A new DICOM UID, of a random UUID (PS3.5 B.2). */
export const newUid = (): string => uidFrom(randomUuid());

/** The DICOM UID of what a SHA-256 names: always the same one, of a UUID of version 8 (RFC 9562, B.2). */
export const uidOfHash = (sha256: string): string =>
  uidFrom(
    uuidFrom(
      Uint8Array.from(sha256.match(/../g)!.slice(0, 16), (pair) => Number.parseInt(pair, 16)),
      8,
    ),
  );
