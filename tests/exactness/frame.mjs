// In a page around: what frame.spec.ts asks a browser to do, at `window.driven` (tests/browsers).

/**
 * What the first page of the site that is shown says of itself; `TELLING` in frame.spec.ts says what.
 * @type {Promise<string>}
 */
const told = new Promise((resolve) =>
  addEventListener('message', ({ data }) => {
    if (data.told) resolve(data.told);
  }),
);

/**
 * As a portal does it.
 * @param {string} src
 */
async function shown(src) {
  /** @type {typeof import('../../web/src/embed/index.js')} */
  const { createFrame } = await import(new URL('/dermlet/embed.js', location.href).href);
  const { ready } = createFrame(document.body, { src });
  const answer = await Promise.race([ready.then(() => 'ready'), new Promise((next) => setTimeout(next, 3000, 'none'))]);
  return { told: await told, answer };
}

/**
 * Shows a page in a frame and says a whole `hello` to it when the site's page is there.
 * @param {string} src
 */
async function greeted(src) {
  const frame = document.createElement('iframe');
  frame.src = src;
  document.body.append(frame);
  const state = await told;
  const { port1, port2 } = new MessageChannel();
  const answer = new Promise((next) => {
    port1.onmessage = () => next('some');
    setTimeout(next, 1000, 'none');
  });
  frame.contentWindow?.postMessage({ dermlet: 1, type: 'hello', configuration: {} }, '*', [port2]);
  return { told: state, answer: await answer };
}

Object.assign(window, { driven: { shown, greeted } });
