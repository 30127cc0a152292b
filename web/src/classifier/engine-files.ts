/** The engine's binaries as this code was built with them: code and files are one version. */

export interface EngineFile {
  bytes: number;
  sha256: string;
  /** The same file as Zstandard, in the same folder. */
  compressed?: { path: string; bytes: number };
  /** sha256s of the networks that this runtime has all functions for; absent: it has all for any. */
  networks?: readonly string[];
}

/** By name, in the engine's folder. Empty where no build filled them in (Node, which reads its own from disk). */
export const engineFiles = (): Readonly<Record<string, EngineFile>> =>
  typeof __DERMLET_ENGINE_FILES__ === 'object' ? __DERMLET_ENGINE_FILES__ : {};

/** Where a file of the engine is kept. @param assetBase absolute, ending in '/' */
export const engineKey = (assetBase: string, file: string, sha256: string): string =>
  new URL(`${file}?sha256=${sha256}`, assetBase).href;

/** Where all files of this version of the engine are kept. */
export const engineKeys = (assetBase: string, files = engineFiles()): string[] =>
  Object.entries(files).map(([file, { sha256 }]) => engineKey(assetBase, file, sha256));
