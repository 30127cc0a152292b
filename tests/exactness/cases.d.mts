import type { DermletModule, Picture, PrepareSpec } from '../../wasm_src/bindings/dermlet.js';

export interface Spec {
  name: string;
  cropped: boolean;
  prepare: PrepareSpec;
}

export interface TensorManifest {
  specs: Spec[];
  pictures: { file: string; expected: string }[];
}

export interface Checked {
  compared: number;
  differences: string[];
}

export function parseManifest(text: string): TensorManifest;
export function parseSpec(line: string): Spec;
export function sha256(...parts: Uint8Array[]): Promise<string>;
export function rgbHash(picture: Picture): Promise<string>;
export function answerOf(module: DermletModule, bytes: Uint8Array, specs: readonly Spec[]): Promise<string>;
export function check(
  module: DermletModule,
  manifest: TensorManifest,
  read: (file: string) => Promise<Uint8Array>,
): Promise<Checked>;
