/** Atlases in Node, where what looks up is read from disk. */
import { pathToFileURL } from 'node:url';
import { Atlas, AtlasWriter } from '../atlas.js';
import type { LearnBinary } from '../learn.js';
import { learnFile } from './files.js';
import { read } from './read.js';

const binary = async (): Promise<LearnBinary> => ({ bytes: await read(learnFile), url: pathToFileURL(learnFile).href });

/**
 * @param file what `dermlet atlas` wrote
 * @throws DermletError MODEL_CORRUPT, MODEL_TOO_NEW, UNREADABLE_FILE, BACKEND_FAILED
 */
export const openAtlas = async (file: Uint8Array | Blob): Promise<Atlas> => Atlas.open(file, await binary());

/** @throws DermletError BACKEND_FAILED, MODEL_UNAVAILABLE */
export const startAtlas = async (): Promise<AtlasWriter> => AtlasWriter.start(await binary());
