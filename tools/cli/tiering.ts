/**
 * How much a function of WebAssembly must have worked before V8 compiles it anew, for speed: with V8's own 13 million,
 * compiling took three quarters of the processor's time for one photo, and was not made up for by 120. Tests run the
 * network as seldom.
 */
export const TIERING_FLAG = '--wasm-tiering-budget=1500000000';
