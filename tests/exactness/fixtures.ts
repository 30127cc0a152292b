/**
 * What the tests of exactness have: one browser, opened on a page beside the built site, kept for all tests of its
 * project.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test as base } from '@playwright/test';
import { type Engine, type EngineName, startEngine } from '../browsers/engines.js';
import { root, Site } from '../e2e/site.js';

export { expect } from '@playwright/test';

export const test = base.extend<object, { engineName: EngineName; site: Site; engine: Engine }>({
  engineName: ['chromium', { option: true, scope: 'worker' }],
  site: [
    async ({}, use) => {
      const site = new Site();
      await site.open();
      serveTests(site);
      await use(site);
      await site.close();
    },
    { scope: 'worker' },
  ],
  engine: [
    async ({ engineName, site }, use) => {
      const engine = await startEngine(engineName);
      await engine.open(`${site.url}exactness.html`);
      await use(engine);
      await engine.close();
    },
    { scope: 'worker', timeout: 120_000 },
  ],
});

function serveTests(site: Site): void {
  for (const [name, path] of [
    ['page.mjs', 'tests/exactness/page.mjs'],
    ['cases.mjs', 'tests/exactness/cases.mjs'],
    ['contract.mjs', 'tests/exactness/contract.mjs'],
    ['dermlet.js', 'build/wasm/dermlet.js'],
    ['tensors.golden', 'tests/golden/tensors.golden'],
  ] as const) {
    site.answers.set(`exactness/${name}`, { body: readFileSync(join(root, path)) });
  }
  site.addPage('exactness.html', '<script type="module" src="exactness/page.mjs"></script>');
}
