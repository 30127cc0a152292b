/** What the parts of this room ask `<dermlet-spots>` to do. */

/** What it says once it is done. */
export type Told = () => string;

/**
 * Does one thing at a time: says that it is under way, what came of it, and why it did not work.
 * @returns whether it worked
 */
export type Run = (work: () => Promise<Told | null>) => Promise<boolean>;
