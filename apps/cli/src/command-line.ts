/** Chooses the command from the arguments, and turns its errors into one line and an exit status. */
import { JSON_OPTION, PROFILE_OPTION, TOKEN_OPTION, URL_OPTION } from './client/client-options.ts';
import { type CommandContext, isGroup, optionsOf } from './command.ts';
import { COMMAND_SECTIONS, COMMANDS } from './commands.ts';
import { remedyOf } from './explain-error.ts';
import { checkArguments, findCommand } from './find-command.ts';
import { HELP_OPTION, renderCommandHelp, renderGroupHelp, renderOverview } from './help.ts';
import { parseOptions, UsageError } from './options.ts';
import type { Output } from './output.ts';
import { printable } from './printable.ts';
import { version } from './version.ts';

const EXIT = { done: 0, failed: 1, usage: 2 } as const;

/** Options that may also precede the command. */
const LEADING_OPTIONS = [PROFILE_OPTION, URL_OPTION, TOKEN_OPTION, JSON_OPTION];
const HELP_WORDS = ['help', '--help', '-h'];
const VERSION_WORDS = ['--version', '-V', '-v'];

/** Run one command line (without `node` and the script). Resolves to the exit status; never rejects. */
export async function runCommandLine(args: readonly string[], context: CommandContext): Promise<number> {
  const { stdout, stderr } = context;
  /** The command as far as its words are known. */
  let path: readonly string[] = [];
  try {
    const words = moveLeadingOptions(args);
    const [word] = words;
    if (word === undefined) {
      // Requested help is the result; help in place of a missing command is an error message.
      stderr.write(renderOverview(COMMAND_SECTIONS, stderr));
      return EXIT.usage;
    }
    if (VERSION_WORDS.includes(word)) {
      stdout.write(`gptj ${version()}\n`);
      return EXIT.done;
    }
    if (HELP_WORDS.includes(word)) {
      showHelp(words.slice(1), stdout);
      return EXIT.done;
    }
    if (COMMANDS.some(({ name }) => name === word)) path = [word];
    const found = findCommand(COMMANDS, words);
    path = found.path;
    const { entry, rest } = found;
    if (wantsHelp(rest)) {
      showHelp(path, stdout);
      return EXIT.done;
    }
    if (isGroup(entry)) {
      stderr.write(renderGroupHelp(path, entry, stderr));
      return EXIT.usage;
    }
    const options = parseOptions([...optionsOf(entry), HELP_OPTION], rest, entry.refused);
    checkArguments(entry, options.positionals);
    await entry.run(context, options);
    return EXIT.done;
  } catch (error) {
    if (!context.signal.aborted) return report(error, path, context);
    // The terminal has written ^C on the current line.
    if (stderr.columns !== null) stderr.write('\n');
    return EXIT.failed;
  }
}

/** `gptj --profile work runs list` is `gptj runs list --profile work`. */
function moveLeadingOptions(args: readonly string[]): readonly string[] {
  let at = 0;
  while (at < args.length) {
    const [flag = '', value] = args[at]!.split('=', 2);
    const option = LEADING_OPTIONS.find(({ name }) => flag === `--${name}`);
    if (option === undefined) break;
    at += option.value === null || value !== undefined ? 1 : 2;
  }
  return [...args.slice(at), ...args.slice(0, at)];
}

function showHelp(words: readonly string[], output: Output): void {
  if (words.length === 0) {
    output.write(renderOverview(COMMAND_SECTIONS, output));
    return;
  }
  const { path, entry } = findCommand(COMMANDS, [...words, '--help']);
  output.write(isGroup(entry) ? renderGroupHelp(path, entry, output) : renderCommandHelp(path, entry, output));
}

function wantsHelp(args: readonly string[]): boolean {
  const end = args.indexOf('--');
  return args.slice(0, end < 0 ? args.length : end).some((arg) => arg === '--help' || arg === '-h');
}

function report(error: unknown, path: readonly string[], { stderr, env }: CommandContext): number {
  const message = error instanceof Error ? error.message : String(error);
  stderr.write(`gptj: ${printable(message)}\n`);
  const usage = error instanceof UsageError;
  const remedy = remedyOf(error);
  if (remedy !== null) stderr.write(`${remedy}\n`);
  if (usage) stderr.write(`Try: ${['gptj', ...path, '--help'].join(' ')}\n`);
  if (env.GPTJ_DEBUG === '1' && error instanceof Error) stderr.write(`${stackOf(error)}\n`);
  return usage ? EXIT.usage : EXIT.failed;
}

/** The stack, and the stacks of the causes. */
function stackOf(error: Error): string {
  const cause = error.cause instanceof Error ? `\ncaused by ${stackOf(error.cause)}` : '';
  return `${error.stack ?? error.message}${cause}`;
}
