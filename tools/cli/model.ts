import { DEFAULT_MODEL, DermletError, type ModelInfo, readModelInfo } from '../../web/src/classifier/node/index.js';
import { UsageError } from './usage.js';

export const defaultModel = DEFAULT_MODEL;

/** The model named on the command line. @throws UsageError, DermletError */
export async function modelOf(option: string): Promise<ModelInfo> {
  try {
    return await readModelInfo(option);
  } catch (error) {
    if (error instanceof DermletError && error.code === 'INVALID_ARGUMENT') throw new UsageError(error.message);
    throw error;
  }
}
