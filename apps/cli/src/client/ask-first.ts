import type { CommandContext } from '../command.ts';
import { isOn, type OptionSpec, type ParsedOptions, UsageError } from '../options.ts';
import { typedText } from './typed-secret.ts';

export const YES_OPTION: OptionSpec = { name: 'yes', short: 'y', value: null, summary: 'do not ask' };

/** Ask at the terminal before a change that cannot be undone. Throws `UsageError` without a terminal and `--yes`. */
export async function askFirst(context: CommandContext, options: ParsedOptions, question: string): Promise<void> {
  if (isOn(options, 'yes')) return;
  if (context.stdin.isTTY !== true) throw new UsageError(`${question} Confirm with --yes: this cannot be undone`);
  const answer = await typedText(context, `${question} This cannot be undone. [y/N] `);
  context.signal.throwIfAborted();
  if (!/^y(?:es)?$/i.test(answer)) throw new Error('not confirmed: nothing was changed');
}
