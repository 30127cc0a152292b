/** Why a script or a file did not come. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import { isMissingScript, type Surroundings, whyMissing, whyNotFetched } from '../../web/src/classifier/causes.js';
import { DermletError } from '../../web/src/classifier/errors.js';
import { imported } from '../../web/src/classifier/scripts.js';
import { expectCode } from './support.js';

const SCRIPT = 'https://here.example/assets/worker.js';
const ELSEWHERE = 'https://cdn.example/worker.js';
const failed = new TypeError(`Failed to fetch dynamically imported module: ${SCRIPT}`);

/** A page at here.example whose server answers as given; `opaque` is the answer to what may not be read. */
const at = (answer: Response | 'none', change: Partial<Surroundings> = {}, opaque = false): Surroundings => ({
  protocol: 'https:',
  origin: 'https://here.example',
  fetch: async (_url, { mode }) => {
    if (mode === 'no-cors' && opaque) return new Response();
    if (answer === 'none') throw new TypeError('Failed to fetch');
    return answer;
  },
  ...change,
});
const sent = (type: string, status = 200) => new Response('x', { status, headers: { 'content-type': type } });

describe('a script', () => {
  test.each([
    ['answered with 404', SCRIPT, failed, at(sent('text/plain', 404)), 'PART_MISSING', /404/],
    ['gone', SCRIPT, failed, at(sent('text/plain', 410)), 'PART_MISSING', /410/],
    ['replaced by a page', SCRIPT, failed, at(sent('text/html; charset=utf-8')), 'PART_MISSING', /HTML/],
    ['sent as text', SCRIPT, failed, at(sent('text/plain')), 'WRONG_MEDIA_TYPE', /'text\/plain'/],
    ['sent as bytes', SCRIPT, failed, at(sent('application/octet-stream')), 'WRONG_MEDIA_TYPE', /octet-stream/],
    ['answered with 503', SCRIPT, failed, at(sent('text/plain', 503)), 'MODEL_UNAVAILABLE', /503/],
    ['not answered', SCRIPT, failed, at('none'), 'MODEL_UNAVAILABLE', /could not be fetched/],
    ['there by now', SCRIPT, failed, at(sent('text/javascript')), 'MODEL_UNAVAILABLE', /could not be started/],
    ['of an origin that does not allow it', ELSEWHERE, failed, at('none', {}, true), 'CROSS_ORIGIN', /cdn\.example/],
    ['of an origin that does not answer', ELSEWHERE, failed, at('none'), 'MODEL_UNAVAILABLE', /could not be fetched/],
    [
      'under Trusted Types',
      SCRIPT,
      new TypeError("Failed to construct 'Worker': This document requires 'TrustedScriptURL' assignment."),
      at(sent('text/javascript')),
      'POLICY_BLOCKED',
      /Trusted Types/,
    ],
    ['in a file', SCRIPT, failed, at('none', { protocol: 'file:', origin: 'null' }), 'OPENED_AS_FILE', /file:/],
    ['in a sandbox', SCRIPT, failed, at('none', { origin: 'null' }), 'SANDBOXED', /opaque/],
  ] as const)('%s', async (_name, script, cause, surroundings, code, message) => {
    const why = await whyMissing(script, cause, surroundings);
    expect(why).toBeInstanceOf(DermletError);
    expect([why.code, why.cause === cause || why.code === 'SANDBOXED' || why.code === 'OPENED_AS_FILE']).toEqual([
      code,
      true,
    ]);
    expect(why.message).toMatch(message);
  });
});

describe('a file that is fetched', () => {
  test.each([
    ['from the own origin: the network', SCRIPT, at('none'), undefined],
    ['from an origin that does not answer: the network', ELSEWHERE, at('none'), undefined],
    ['from an origin that does not allow it', ELSEWHERE, at('none', {}, true), 'CROSS_ORIGIN'],
    ['in a sandbox', SCRIPT, at('none', { origin: 'null' }), 'SANDBOXED'],
    ['in Node, where there is no origin', ELSEWHERE, at('none', { origin: '', protocol: '' }, true), undefined],
  ] as const)('%s', async (_name, address, surroundings, code) => {
    expect((await whyNotFetched(address, failed, surroundings))?.code).toBe(code);
  });
});

describe('an import', () => {
  afterEach(() => vi.unstubAllGlobals());

  test.each([
    'Failed to fetch dynamically imported module: https://here.example/a.js', // Chromium
    'error loading dynamically imported module: https://here.example/a.js', // Firefox
    'Importing a module script failed.', // WebKit
  ])('%s', async (message) => {
    expect(isMissingScript(new TypeError(message))).toBe(true);
    vi.stubGlobal('fetch', async () => sent('text/plain', 404));
    await expectCode(
      imported(() => Promise.reject(new TypeError(message))),
      'PART_MISSING',
    );
  });

  test('passes on what the module does and throws', async () => {
    expect(await imported(async () => 1)).toBe(1);
    await expect(imported(() => Promise.reject(new RangeError('its own')))).rejects.toThrow('its own');
  });
});
