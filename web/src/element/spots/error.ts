/** Why something about kept spots did not work. Stable: the views choose their words by the code (`words.ts`). */
export type SpotsCode =
  /** The browser gives this page no database, as in some private windows. */
  | 'NO_STORAGE'
  /** The page was not opened over https, without which browsers encrypt nothing. */
  | 'INSECURE'
  /** The browser's room for this site, or the device, is full. */
  | 'FULL'
  /** Another tab holds the database and does not let go of it. */
  | 'BLOCKED'
  /** The database was made by a newer version of this page. */
  | 'NEWER'
  /** Any other failure of a read or write, or what was written did not read back the same. */
  | 'FAILED'
  /** Locked, here or meanwhile by another tab. */
  | 'LOCKED'
  | 'WRONG_PASSPHRASE'
  /** A passphrase that is too short. */
  | 'SHORT_PASSPHRASE'
  /** What is kept, or a file, is not what was written. */
  | 'DAMAGED'
  /** What was to be changed is not there any more. */
  | 'GONE'
  /** A file of another kind. */
  | 'NOT_OURS'
  /** A file of a newer version of this format. */
  | 'NEWER_FILE'
  /** A file that is larger than any export. */
  | 'FILE_TOO_LARGE'
  /** The browser cannot read the file: moved, changed or deleted since it was chosen. */
  | 'UNREADABLE_FILE'
  /** More would be kept than one export can hold. */
  | 'TOO_MUCH'
  /** The picture cannot be read from the page. */
  | 'NO_PICTURE';

export class SpotsError extends Error {
  override readonly name = 'SpotsError';

  constructor(
    readonly code: SpotsCode,
    options?: ErrorOptions,
  ) {
    super(code, options);
  }
}
