/** Who shows the page in a frame, where the browser tells it and where it tells the referrer alone (Firefox). */
import { afterEach, expect, test, vi } from 'vitest';
import { isFramedByStranger } from '../../web/src/page/framed.js';

const SITE = 'https://dermlet.example';
const PORTAL = 'https://portal.example';
const STRANGER = 'https://stranger.example';

/** A page whose address is SITE's, `depth` frames deep. */
function place(depth: number, referrer: string, ancestorOrigins?: readonly string[]): void {
  const windows = Array.from({ length: depth + 1 }, () => ({}));
  vi.stubGlobal('top', windows[0]);
  vi.stubGlobal('window', windows.at(-1));
  vi.stubGlobal('parent', windows.at(-2) ?? windows[0]);
  vi.stubGlobal('location', { origin: SITE, ...(ancestorOrigins && { ancestorOrigins }) });
  vi.stubGlobal('document', { referrer, querySelector: () => null });
}

afterEach(() => void vi.unstubAllGlobals());

test.each([
  ['in no frame', 0, `${STRANGER}/`, undefined, false],
  ['a page of its own site', 1, `${SITE}/examples/frame.html`, undefined, false],
  ['a portal that is named', 1, `${PORTAL}/`, undefined, false],
  ['a stranger', 1, `${STRANGER}/`, undefined, true],
  ['a stranger whose path is called like a portal', 1, `${STRANGER}/${PORTAL}/`, undefined, true],
  ['a page that does not tell who it is', 1, '', undefined, true],
  ['a portal that is named, in a page that is not told', 2, `${PORTAL}/`, undefined, true],
  ['a portal that is named, told by the browser', 1, '', [PORTAL], false],
  ['a portal that is named, in a stranger, told by the browser', 2, `${PORTAL}/`, [PORTAL, STRANGER], true],
  ['a stranger with the referrer of a portal, told by the browser', 1, `${PORTAL}/`, [STRANGER], true],
] as const)('%s', (_, depth, referrer, ancestors, stranger) => {
  place(depth, referrer, ancestors);
  expect(isFramedByStranger([PORTAL])).toBe(stranger);
});
