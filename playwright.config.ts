/** End-to-end tests in Chromium, against dist/ as it will be served. `npm test -- --only e2e` builds it first. */
import { defineConfig } from '@playwright/test';
import { findChromium } from './tools/build/toolchain.mjs';

const executablePath = process.env.CHROMIUM_PATH ?? findChromium() ?? undefined;
const common = ['--no-sandbox', '--disable-background-networking', '--disable-quic', '--no-first-run'];

function chromium(...more: string[]) {
  return { launchOptions: { ...(executablePath ? { executablePath } : {}), args: [...common, ...more] } };
}

export default defineConfig({
  testDir: 'tests/e2e',
  outputDir: 'test-results',
  // Each test runs the network: more than one at a time only makes all of them slow.
  workers: 1,
  forbidOnly: Boolean(process.env.CI),
  timeout: 60_000,
  expect: { timeout: 20_000 },
  reporter: 'list',
  // No trace: its snapshots fetch blob: addresses in the page, which the page's policy rightly reports.
  use: { screenshot: 'only-on-failure', locale: 'en-GB' },
  projects: [
    { name: 'chromium', testIgnore: '**/webgpu.spec.ts', use: chromium() },
    // A WebGPU without a graphics processor: slow, and exactly what a test machine has.
    { name: 'webgpu', testMatch: '**/webgpu.spec.ts', timeout: 240_000, use: chromium('--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader') },
  ],
});
