/** The element where there is no document: imported, made and configured, as a server does that renders pages. */
import { expect, test } from 'vitest';

test('the entry is imported, the element made and left alone', async () => {
  expect(typeof document).toBe('undefined');
  const { DermletClassifier, DermletError } = await import('../../web/src/dermlet.js');
  expect(new DermletError('ABORTED', 'x').code).toBe('ABORTED');
  const element = new DermletClassifier() as InstanceType<typeof DermletClassifier> & {
    connectedCallback(): void;
    disconnectedCallback(): void;
  };
  Object.assign(element, { model: 'skin-8', load: 'now', wholePage: true });
  element.connectedCallback();
  await new Promise((resolve) => setTimeout(resolve, 20));
  element.disconnectedCallback();
  expect([element.model, element.filled]).toEqual(['skin-8', false]);
});
