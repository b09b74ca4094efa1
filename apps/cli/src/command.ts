/** The record of a command: its parser, help, shell completion and the page docs/cli.md derive from it. */
import type { Readable } from 'node:stream';
import type { OptionSpec, ParsedOptions, RefusedOption } from './options.ts';
import type { Output } from './output.ts';

/** The environment of a command besides its arguments. */
export interface CommandContext {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly env: NodeJS.ProcessEnv;
  /** Aborts on Ctrl-C, and when the reader of the output has closed it. */
  readonly signal: AbortSignal;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
}

export interface OptionGroup {
  readonly title: string;
  readonly options: readonly OptionSpec[];
  /** Help lists the names without summaries. */
  readonly namesOnly?: boolean;
}

export interface Example {
  readonly line: string;
  readonly caption: string;
}

/** A positional argument. */
export interface Argument {
  /** As help shows it: `FILE`. */
  readonly name: string;
  readonly summary: string;
  readonly optional?: boolean;
  /** The last argument may be repeated. */
  readonly repeated?: boolean;
  /** The values that shell completion offers: files, folders, or these words. */
  readonly values?: 'file' | 'folder' | readonly string[];
}

interface Entry {
  /** The word that selects it. */
  readonly name: string;
  /** One line for lists of commands. */
  readonly summary: string;
}

/** A command that runs. */
export interface Command extends Entry {
  readonly arguments: readonly Argument[];
  /** What it does, in one or two sentences. */
  readonly about: string;
  /** Facts that help shows as a list. */
  readonly notes?: readonly string[];
  readonly groups: readonly OptionGroup[];
  readonly examples: readonly Example[];
  /** Said of an argument too many. Default: that text with spaces needs quotes. */
  readonly extraArgument?: string;
  /** Options of other programs, each refused with the name to use. */
  readonly refused?: readonly RefusedOption[];
  /** The number of positional arguments matches `arguments`. */
  run(context: CommandContext, options: ParsedOptions): Promise<void>;
}

/** Commands on one subject: `gptj runs list`. */
export interface CommandGroup extends Entry {
  readonly about: string;
  readonly commands: readonly CommandEntry[];
  /** The command that runs when none is named. */
  readonly defaultCommand?: string;
}

export type CommandEntry = Command | CommandGroup;

export function isGroup(entry: CommandEntry): entry is CommandGroup {
  return 'commands' in entry;
}

/** All options of a command. */
export function optionsOf(command: Command): readonly OptionSpec[] {
  return command.groups.flatMap((group) => group.options);
}

/** `FILE [OUT]`: the arguments as help shows them. */
export function usageOf(command: Command): string {
  return command.arguments
    .map(({ name, optional = false, repeated = false }) => {
      const shown = repeated ? `${name} …` : name;
      return optional ? `[${shown}]` : shown;
    })
    .join(' ');
}

export interface NamedCommand {
  /** The words that select it: `['runs', 'list']`. */
  readonly path: readonly string[];
  readonly command: Command;
}

/** Every command that runs, in the order of help. */
export function commandsOf(entries: readonly CommandEntry[], parents: readonly string[] = []): readonly NamedCommand[] {
  return entries.flatMap((entry) => {
    const path = [...parents, entry.name];
    return isGroup(entry) ? commandsOf(entry.commands, path) : [{ path, command: entry }];
  });
}
