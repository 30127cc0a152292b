/**
 * Tests in browsers, against dist/ as it will be served: end to end in Chromium (`npm test -- --only e2e`, which builds
 * it first), and the same tensors in all (`--only exact`). `npm run screenshots` makes pictures to look at; it is none.
 */
import { defineConfig } from '@playwright/test';
import type { EngineName } from './tests/browsers/engines.js';
import { findChromium } from './tools/build/toolchain.mjs';
import { TIERING_FLAG } from './tools/cli/tiering.js';

const executablePath = process.env.CHROMIUM_PATH ?? findChromium() ?? undefined;
const common = ['--no-sandbox', '--disable-background-networking', '--disable-quic', '--no-first-run'];

function chromium(...more: string[]) {
  return { launchOptions: { ...(executablePath ? { executablePath } : {}), args: [...common, ...more] } };
}

/**
 * Functions of WebAssembly are compiled anew for speed after a hundred times as much work as otherwise: most pages run
 * the network once or twice, and half of the processor's time went into compiling. What is exact is tested without.
 */
const ENGINE_ONCE = `--js-flags=${TIERING_FLAG}`;

/** Specs that a browser does without. */
const LEFT_OUT: Partial<Record<EngineName, string[]>> = {
  // What people do is walked end to end there.
  chromium: ['**/fingerprinting.spec.ts', '**/flow.spec.ts', '**/frame.spec.ts'],
  // What the preference changes is what is read from canvases: all else is the ordinary Firefox's.
  'firefox-resist-fingerprinting': ['**/policy.spec.ts', '**/single.spec.ts', '**/flow.spec.ts', '**/frame.spec.ts'],
};

function exact(engineName: EngineName) {
  const testIgnore = LEFT_OUT[engineName] ?? ['**/fingerprinting.spec.ts'];
  return {
    name: `exact-${engineName}`,
    testDir: 'tests/exactness',
    testMatch: '**/*.spec.ts',
    testIgnore,
    timeout: 480_000,
    use: { engineName },
  };
}

export default defineConfig<object, { engineName: EngineName }>({
  testDir: 'tests/e2e',
  outputDir: 'test-results',
  // One more than the cores that tests are to run on: a quarter of the time a page waits, for frames and timers.
  workers: 3,
  forbidOnly: Boolean(process.env.CI),
  // On a machine that other work slows, a test may meet its limit without a fault: each that needed this is named.
  retries: 1,
  timeout: 60_000,
  expect: { timeout: 20_000 },
  reporter: 'list',
  // No trace: its snapshots fetch blob: addresses in the page, which the page's policy rightly reports.
  use: { screenshot: 'only-on-failure', locale: 'en-GB' },
  // What takes longest begins first: no worker is left with it at the end.
  projects: [
    // A WebGPU without a graphics processor: slow, and exactly what a test machine has.
    {
      name: 'webgpu',
      testMatch: '**/webgpu.spec.ts',
      fullyParallel: true,
      timeout: 240_000,
      use: chromium('--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'),
    },
    {
      name: 'chromium',
      testIgnore: '**/webgpu.spec.ts',
      fullyParallel: true,
      // It keeps a hundred files anew for each test, which takes a third of the processor's time. Tests that concern it
      // have it: `withServiceWorker` in tests/e2e/fixtures.ts.
      use: { ...chromium(ENGINE_ONCE), serviceWorkers: 'block' },
    },
    {
      name: 'screenshots',
      testDir: 'tests/screenshots',
      testMatch: '**/*.shots.ts',
      timeout: 600_000,
      use: chromium(),
    },
    exact('webkitgtk'),
    exact('firefox'),
    exact('firefox-resist-fingerprinting'),
    exact('chromium'),
  ],
});
