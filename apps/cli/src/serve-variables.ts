/** The options of `gptj serve` and `gptj worker`, each of which sets an environment variable. */
import { once } from 'node:events';
import { SERVE_OPTIONS } from '@gptj-cloud/server';
import type { Command } from './command.ts';
import { type ParsedOptions, UsageError } from './options.ts';

/** Their table in help, without those that a command does not have. */
export function serveOptionGroup(without: readonly string[] = []): Command['groups'][number] {
  return {
    title: 'options',
    options: SERVE_OPTIONS.filter(({ name }) => !without.includes(name)).map(
      ({ variable, help, shownDefault, check: _, ...option }) => ({
        ...option,
        summary: plain(help),
        default: `${variable}, else ${plain(shownDefault)}`,
      }),
    ),
  };
}

/** Given options under the names of their variables. Throws `UsageError` for a value that is not valid. */
export function optionVariables({ values }: ParsedOptions): Readonly<Record<string, string>> {
  return Object.fromEntries(
    SERVE_OPTIONS.flatMap(({ name, variable, check }): [string, string][] => {
      const value = values.get(name);
      if (value === undefined) return [];
      const fault = check(value);
      if (fault !== null) throw new UsageError(`--${name}: ${fault}`);
      return [[variable, value]];
    }),
  );
}

/** Help is plain text. */
function plain(markdown: string): string {
  return markdown.replaceAll('`', '');
}

/** Resolves when the command is to end. */
export async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort');
}
