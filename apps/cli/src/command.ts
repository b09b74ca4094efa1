import type { Readable } from 'node:stream';
import type { OptionSpec, ParsedOptions } from './options.ts';
import type { Output } from './output.ts';

/** What a command is given besides its arguments. */
export interface CommandContext {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly env: NodeJS.ProcessEnv;
  /** Fires on Ctrl-C, and when nobody reads the output any more. */
  readonly signal: AbortSignal;
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
}

export interface OptionGroup {
  readonly title: string;
  readonly options: readonly OptionSpec[];
  /** Help gives the names alone. */
  readonly namesOnly?: boolean;
}

export interface Example {
  readonly line: string;
  readonly says: string;
}

/** One word after `gptj`. */
export interface Command {
  readonly name: string;
  /** What follows the name, for help: `DIR OUT`. */
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
