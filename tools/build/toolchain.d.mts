/** Path of a Chromium that runs, or null. */
export function findChromium(): string | null;
