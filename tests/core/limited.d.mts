export declare function withMostMemory(wasm: Uint8Array, mebibytes: number): Buffer<ArrayBuffer>;
export declare function blankPng(
  width: number,
  height: number,
  options?: { depth?: number; colour?: number; samples?: number },
): Buffer<ArrayBuffer>;
