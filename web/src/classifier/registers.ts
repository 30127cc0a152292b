/**
 * Ends the use of the upper halves of the processor's vector registers.
 *
 * Firefox built by GCC, as distributions do (Debian's 140), searches strings with 256-bit instructions and returns
 * without `vzeroupper`: its helper takes a vector as an argument, and GCC leaves the clearing to a caller that does
 * none. From then on the thread, and each thread that it starts, counts as using the upper halves, and Firefox's
 * WebAssembly code, which mixes the two encodings of vector instructions, pays some 70 cycles for each change between
 * them on many Intel processors: a photo took 27 s in place of 0.5.
 *
 * One way through the same search does clear them: over 127 characters, the one looked for among the first 32. To be
 * called before WebAssembly runs for long; elsewhere it is a search of some nanoseconds.
 */
export function clearUpperHalves(): void {
  // Used, lest a compiler leave the search out.
  if (searched.indexOf(sought) !== 0) throw new Error('a string does not hold its first character');
}

const sought = '!';
const searched = sought.padEnd(256, '.');

/** The same as text, for workers that are started from a line of it. */
export const CLEARING =
  "if ('!'.padEnd(256, '.').indexOf('!') !== 0) throw new Error('a string does not hold its first character');";
