/** Unit tests, in Node, on the sources and the built WASM core (`build/wasm`). */
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { TIERING_FLAG } from './tools/cli/tiering.js';

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** The longest begins first: else one worker waits a minute for it at the end. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isLongest = ({ moduleId }: TestSpecification) => moduleId.endsWith('/endurance.test.ts');
    return (await super.sort(files)).sort((a, b) => Number(isLongest(b)) - Number(isLongest(a)));
  }
}

export default defineConfig({
  root: at('.'),
  test: {
    include: ['tests/web/**/*.test.ts'],
    environment: 'node',
    testTimeout: 180_000, // far more than any takes, for machines that are busy with other things
    hookTimeout: 120_000,
    // As on the command line: most tests run the network once or twice.
    execArgv: [TIERING_FLAG],
    // One more than the cores that tests are to run on: a quarter of the time a worker waits for files and processes.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
  },
});
