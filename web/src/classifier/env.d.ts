// The WASM module is built, not written: its types are the hand-written interface beside the bindings.
declare module '*/build/wasm/dermlet.js' {
  const createDermlet: typeof import('../../../wasm_src/bindings/dermlet.js').default;
  export default createDermlet;
}
