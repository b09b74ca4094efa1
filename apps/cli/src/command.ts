import type { Readable } from 'node:stream';
import type { OptionSpec, ParsedOptions } from './options.ts';
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

/** A command: the first argument of `gptj`. */
export interface Command {
  readonly name: string;
  /** The arguments after the name, for help: `DIR OUT`. */
  readonly usage: string;
  /** One line for the overview. */
  readonly summary: string;
  /** A few sentences for the command's own help. */
  readonly about: string;
  readonly groups: readonly OptionGroup[];
  readonly examples: readonly Example[];
  run(context: CommandContext, options: ParsedOptions): Promise<void>;
}

/** All options of a command. */
export function optionsOf(command: Command): readonly OptionSpec[] {
  return command.groups.flatMap((group) => group.options);
}
