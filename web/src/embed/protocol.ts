/**
 * What a page and `embed.html` in a frame of it say to each other. Every message is `{ dermlet: 1, type, ... }`. The
 * first one, `hello`, goes to the frame's origin alone and carries a `MessagePort`; all others go through that port.
 */
import type { DermletFormDocument, ErrorCode, ModelInfo } from '../dermlet.js';

/** What a page may choose. What is left out stays as it is. */
export interface FrameConfiguration {
  /** A name from the site's own list of models, never an address. */
  model?: string;
  /** What kind of picture new photos are; empty: told by each picture. */
  modality?: string;
  /** BCP 47, such as `de`. */
  language?: string;
  /** Empty: as the device has it. */
  theme?: 'light' | 'dark' | '';
  /** Whether the person is asked for the photos too. They are handed over by `collect`, if she ticks the box. */
  photo?: boolean;
  /** Whether `collect` needs an answer. */
  required?: boolean;
}

/** What was filled in: an answer each, and the photos if the person agreed. */
export interface Collected {
  documents: DermletFormDocument[];
  /** JPEG written anew; each document names its own. */
  photos: File[];
}

/** `VERSION`: the frame speaks others; `MALFORMED`: a message or a field is none of the protocol's. */
export type RefusalReason = 'VERSION' | 'MALFORMED';

export type ToFrame =
  | { dermlet: 1; type: 'hello'; configuration: FrameConfiguration }
  | { dermlet: 1; type: 'configure'; configuration: FrameConfiguration }
  | { dermlet: 1; type: 'collect'; id: number }
  | { dermlet: 1; type: 'reset' };

export type FromFrame =
  | { dermlet: 1; type: 'ready' }
  | { dermlet: 1; type: 'refused'; reason: RefusalReason; versions: readonly number[] }
  | { dermlet: 1; type: 'model'; model: ModelInfo }
  | { dermlet: 1; type: 'result'; document: DermletFormDocument }
  | { dermlet: 1; type: 'error'; about: 'model' | 'photo'; code: ErrorCode; message: string }
  | { dermlet: 1; type: 'resize'; height: number }
  | { dermlet: 1; type: 'collected'; id: number; collected: Collected }
  | { dermlet: 1; type: 'incomplete'; id: number; message: string };
