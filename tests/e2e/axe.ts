/** What axe finds in a page. */
import AxeBuilder from '@axe-core/playwright';
import type { Page } from '@playwright/test';

/** Every fault, whatever its weight, with the sizes of targets (WCAG 2.2), which axe looks at only when asked. */
export async function faults(page: Page): Promise<string[]> {
  // Its types come from a second copy of playwright-core that npm installs.
  const { violations } = await new AxeBuilder({ page: page as never })
    .options({ rules: { 'target-size': { enabled: true } } })
    .analyze();
  return violations.map(
    ({ id, help, nodes }) => `${id}: ${help} (${nodes.map(({ target }) => target.flat().join(' ')).join('; ')})`,
  );
}
