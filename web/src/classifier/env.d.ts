// The WASM module is a build output: its types are the hand-written interface beside the bindings.
declare module '*/build/wasm/dermlet.js' {
  const createDermlet: typeof import('../../../wasm_src/bindings/dermlet.js').default;
  export default createDermlet;
}

declare module '*/build/wasm/learn.js' {
  const createLearn: typeof import('../../../wasm_src/bindings/learn.js').default;
  export default createLearn;
}

/** The decoder of Zstandard as base64, compressed with gzip (`tools/build/zstd.mjs`). */
declare module '*/build/zstd/decoder.js' {
  const packed: string;
  export default packed;
}

/** The engine's binaries by name; set by the builds of site and package, absent in Node. */
declare const __DERMLET_ENGINE_FILES__: Readonly<Record<string, import('./engine-files.js').EngineFile>> | undefined;

/** Hashes of the site's scripts, which `tools/build/seal.mjs` writes; absent elsewhere. */
declare const __DERMLET_SCRIPTS__: string | undefined;
