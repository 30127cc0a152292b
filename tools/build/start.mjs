// npm start: builds what changed, serves the site on this machine and opens it if there is a desktop.
//   npm start -- [--port N] [--no-open] [--no-install]
import { spawn } from 'node:child_process';
import { parseArgs } from 'node:util';
import { everything } from './artifacts.mjs';
import { serve, siteDir } from './serve.mjs';
import { main, messageOf, StepError, say } from './steps.mjs';
import { leaveTheMachineAlone, which } from './toolchain.mjs';

/**
 * The program that opens an address in a browser, or null if there is no desktop.
 * @returns {[string, ...string[]] | null}
 */
function opener() {
  if (process.env.CI || process.env.SSH_CONNECTION) return null;
  if (process.platform === 'darwin') return ['open'];
  if (process.platform === 'win32') return ['cmd', '/c', 'start', ''];
  const hasDesktop = Boolean(process.env.DISPLAY || process.env.WAYLAND_DISPLAY);
  return hasDesktop && which('xdg-open') !== null ? ['xdg-open'] : null;
}

/** @param {string} url */
function open(url) {
  const command = opener();
  if (command === null) return;
  const child = spawn(command[0], [...command.slice(1), url], { stdio: 'ignore', detached: true });
  child.on('error', () => {}); // The address was printed; opening it is only a courtesy.
  child.unref();
}

function options() {
  try {
    const { values } = parseArgs({
      options: {
        port: { type: 'string' },
        'no-open': { type: 'boolean', default: false },
        'no-install': { type: 'boolean', default: false },
      },
    });
    const port = values.port === undefined ? undefined : Number(values.port);
    if (port !== undefined && !(Number.isInteger(port) && port >= 0 && port < 65536))
      throw new Error(`--port ${values.port} is no port`);
    return { port, open: !values['no-open'], install: !values['no-install'] };
  } catch (error) {
    throw new StepError(`${messageOf(error)}\nUse: npm start -- [--port N] [--no-open] [--no-install]`);
  }
}

await main(async () => {
  const { port, open: wanted, install } = options();
  if (!install) leaveTheMachineAlone();
  await everything();
  const served = await serve({ root: siteDir, ...(port === undefined ? {} : { port, strictPort: true }) }).catch(
    (error) => {
      throw new StepError(`Cannot listen: ${error.message}`);
    },
  );
  say(`\nDermlet runs at ${served.url}  (Ctrl-C stops it)`);
  if (wanted) open(served.url);
  await new Promise(() => {}); // Until a signal ends the process.
});
