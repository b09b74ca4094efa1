/** Chooses the command from the arguments, and turns its errors into one line and an exit status. */
import { type Command, type CommandContext, optionsOf } from './command.ts';
import { adminCommand } from './commands/admin.ts';
import { convertCommand } from './commands/convert.ts';
import { generateCommand } from './commands/generate.ts';
import { inspectCommand } from './commands/inspect.ts';
import { serveCommand } from './commands/serve.ts';
import { HELP_OPTION, renderCommandHelp, renderOverview } from './help.ts';
import { nearestName } from './nearest-name.ts';
import { parseOptions, UsageError } from './options.ts';
import { printable } from './printable.ts';
import { version } from './version.ts';

export const COMMANDS: readonly Command[] = [
  serveCommand,
  generateCommand,
  convertCommand,
  inspectCommand,
  adminCommand,
];

const EXIT = { done: 0, failed: 1, usage: 2 } as const;

/** Run one command line (without `node` and the script). Resolves to the exit status; never rejects. */
export async function runCommandLine(args: readonly string[], context: CommandContext): Promise<number> {
  const [word, ...rest] = args;
  try {
    if (word === undefined || ['help', '--help', '-h'].includes(word)) {
      const about = word === undefined || rest[0] === undefined ? null : findCommand(rest[0]);
      // Requested help is the result; help in place of a missing command is an error message.
      const output = word === undefined ? context.stderr : context.stdout;
      output.write(about === null ? renderOverview(COMMANDS, output) : renderCommandHelp(about, output));
      return word === undefined ? EXIT.usage : EXIT.done;
    }
    if (word === '--version' || word === '-V') {
      context.stdout.write(`gptj ${version()}\n`);
      return EXIT.done;
    }
    const command = findCommand(word);
    const specs = [...optionsOf(command), HELP_OPTION];
    if (wantsHelp(rest)) {
      context.stdout.write(renderCommandHelp(command, context.stdout));
      return EXIT.done;
    }
    await command.run(context, parseOptions(specs, rest));
    return EXIT.done;
  } catch (error) {
    if (!context.signal.aborted) return report(error, word, context);
    // The terminal has written ^C on the current line.
    if (context.stderr.columns !== null) context.stderr.write('\n');
    return EXIT.failed;
  }
}

function wantsHelp(args: readonly string[]): boolean {
  const end = args.indexOf('--');
  return args.slice(0, end < 0 ? args.length : end).some((arg) => arg === '--help' || arg === '-h');
}

/** Throws `UsageError` naming the nearest command. */
function findCommand(word: string): Command {
  const command = COMMANDS.find(({ name }) => name === word);
  if (command !== undefined) return command;
  const names = COMMANDS.map(({ name }) => name);
  const nearest = nearestName(word, names);
  throw new UsageError(
    `unknown command ${JSON.stringify(word)}; ${nearest === null ? `expected one of ${names.join(', ')}` : `did you mean ${nearest}?`}`,
  );
}

function report(error: unknown, word: string | undefined, { stderr, env }: CommandContext): number {
  const message = error instanceof Error ? error.message : String(error);
  stderr.write(`gptj: ${printable(message)}\n`);
  const usage = error instanceof UsageError;
  if (usage) {
    const known = COMMANDS.some(({ name }) => name === word);
    stderr.write(`Try: gptj ${known ? `${word} ` : ''}--help\n`);
  }
  if (env.GPTJ_DEBUG === '1' && error instanceof Error) stderr.write(`${stackOf(error)}\n`);
  return usage ? EXIT.usage : EXIT.failed;
}

/** The stack, and the stacks of the causes. */
function stackOf(error: Error): string {
  const cause = error.cause instanceof Error ? `\ncaused by ${stackOf(error.cause)}` : '';
  return `${error.stack ?? error.message}${cause}`;
}
