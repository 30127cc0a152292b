// The WASM module is a build output: its types are the hand-written interface beside the bindings.
declare module '*/build/wasm/dermlet.js' {
  const createDermlet: typeof import('../../../wasm_src/bindings/dermlet.js').default;
  export default createDermlet;
}

/** Identifies the build of dermlet.wasm; set by the site's build, absent in Node. */
declare const __DERMLET_CORE_VERSION__: string | undefined;
