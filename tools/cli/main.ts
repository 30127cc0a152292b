/** The command line: `classify`, `evaluate` and `copy-assets`. */
import { DermletError } from '../../web/src/classifier/node/index.js';
import { say } from '../../web/src/messages/cli.js';
import { setLanguage } from '../../web/src/messages/index.js';
import { classify, type Output } from './classify.js';
import { copyAssets } from './copy-assets.js';
import { evaluate } from './evaluate.js';
import { EXIT, UsageError, usage } from './usage.js';

const commands: Record<string, (args: string[], output: Output) => Promise<number>> = {
  classify,
  evaluate,
  'copy-assets': copyAssets,
};

async function main([name, ...args]: string[]): Promise<number> {
  const output: Output = {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    columns: Math.max(40, Math.min(process.stdout.columns ?? 100, 140)),
  };
  await setLanguage([Intl.DateTimeFormat().resolvedOptions().locale]);
  if (name === undefined || name === 'help' || name === '--help' || args.includes('--help')) {
    output.out(`${usage(output.columns)}\n`);
    return name === undefined ? EXIT.usage : EXIT.fine;
  }
  try {
    const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
    if (!command) throw new UsageError(say('cli.error.command', { name }));
    return await command(args, output);
  } catch (error) {
    // parseArgs throws TypeErrors with its own codes for unknown options.
    const wrongUse =
      error instanceof UsageError ||
      (error instanceof Error && String((error as { code?: unknown }).code).startsWith('ERR_PARSE_ARGS'));
    if (wrongUse) output.err(`${error.message}\n\n${usage(output.columns)}\n`);
    else if (error instanceof DermletError) output.err(`${error.code}: ${error.message}\n`);
    else throw error;
    return wrongUse ? EXIT.usage : EXIT.failed;
  }
}

// The reader of our output may stop early (`| head`); that is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(EXIT.fine);
  throw error;
});

process.exitCode = await main(process.argv.slice(2));
