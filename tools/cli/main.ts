/** The command line: a command is a word, and what it does a module of that name. */
import { Console } from 'node:console';
import { isatty } from 'node:tty';
import { setFlagsFromString } from 'node:v8';
import { DermletError } from '../../web/src/classifier/node/index.js';
import { setLanguage } from '../../web/src/messages/index.js';
import { atlas } from './atlas.js';
import { checkModel } from './check-model.js';
import { classify, type Output } from './classify.js';
import { copyAssets } from './copy-assets.js';
import { evaluate } from './evaluate.js';
import { exportOf } from './export-head.js';
import { merge } from './merge.js';
import { OutputError, ReaderGone, writeAll } from './output.js';
import { plain, plainLines } from './plain.js';
import { retrain } from './retrain.js';
import { say } from './say.js';
import { serve } from './serve.js';
import { TIERING_FLAG } from './tiering.js';
import { type CommandName, EXIT, UsageError, usage, usageInShort } from './usage.js';

const commands: Record<CommandName, (args: string[], output: Output) => Promise<number>> = {
  classify,
  evaluate,
  merge,
  serve,
  retrain,
  'export-head': exportOf,
  atlas,
  'check-model': checkModel,
  'copy-assets': copyAssets,
};

/** To stderr. That nobody can read it is no reason to stop. */
function said(text: string): void {
  try {
    writeAll(2, text, 'stderr');
  } catch (error) {
    if (!(error instanceof OutputError || error instanceof ReaderGone)) throw error;
  }
}

async function main([name, ...args]: string[]): Promise<number> {
  const output: Output = {
    out: (text) => writeAll(1, plainLines(text), 'stdout'),
    err: (text) => said(plainLines(text)),
    live: said,
    columns: Math.max(40, Math.min((isatty(1) ? process.stdout.columns : undefined) ?? 100, 140)),
  };
  await setLanguage([Intl.DateTimeFormat().resolvedOptions().locale]);
  const known = name !== undefined && Object.hasOwn(commands, name) ? (name as CommandName) : undefined;
  if (name === undefined || name === 'help' || name === '--help' || args.includes('--help')) {
    output.out(`${usage(output.columns, known)}\n`);
    return name === undefined ? EXIT.usage : EXIT.fine;
  }
  try {
    if (!known) throw new UsageError(say('cli.error.command', { name }));
    return await commands[known](args, output);
  } catch (error) {
    // parseArgs throws TypeErrors with its own codes for unknown options.
    const wrongUse =
      error instanceof UsageError ||
      (error instanceof Error && String((error as { code?: unknown }).code).startsWith('ERR_PARSE_ARGS'));
    if (wrongUse) output.err(`${plain(error.message)}\n\n${usageInShort(known)}\n`);
    else if (error instanceof DermletError) output.err(`${error.code}: ${plain(error.message)}\n`);
    else if (error instanceof OutputError) output.err(`${error.message}\n`);
    // The reader of our output may stop early (`| head`); that is no error.
    else if (error instanceof ReaderGone) return EXIT.fine;
    else throw error;
    return wrongUse ? EXIT.usage : EXIT.failed;
  }
}

setFlagsFromString(TIERING_FLAG);

// What libraries log must not end up among the answers.
globalThis.console = new Console(process.stderr);

process.exitCode = await main(process.argv.slice(2));
