/** A model whose files a person has opened from this device: read from there, never from a network, and not kept. */
import { messageOf } from './abort.js';
import type { Fetch } from './download.js';
import { DermletError } from './errors.js';
import type { Manifest } from './manifest.js';

/** The files of a model's folder by name, its `manifest.json` among them. */
export type ModelFiles = ReadonlyMap<string, Blob>;

let count = 0;

/** What stands for the folder's address: of this page alone, and never asked for. */
export const openedFolder = (assetBase: string): string => new URL(`opened/${++count}/`, assetBase).href;

/** Answers for a folder's files. @throws DermletError MODEL_UNAVAILABLE */
export const openedFetch =
  (folder: string, files: ModelFiles): Fetch =>
  async (url) => {
    const name = decodeURIComponent(url.slice(folder.length));
    const file = url.startsWith(folder) ? files.get(name) : undefined;
    if (!file)
      throw new DermletError('MODEL_UNAVAILABLE', `${name} is not among the files of the model that was opened.`);
    try {
      return new Response(await file.arrayBuffer());
    } catch (cause) {
      throw new DermletError('MODEL_UNAVAILABLE', `${name} can no longer be read: ${messageOf(cause)}`, { cause });
    }
  };

/**
 * Addresses of card and licence, as text whatever they hold: as a page they could act in this one's name. Revoke them.
 */
export function textsOf(files: ModelFiles, { card, license }: Manifest): Record<string, string> {
  const names = [card, license.path];
  const text = (name: string) => files.get(name) ?? `${name} is not among the files of the model that was opened.`;
  return Object.fromEntries(
    names.map((name) => [name, URL.createObjectURL(new Blob([text(name)], { type: 'text/plain;charset=utf-8' }))]),
  );
}
