import type { Scope } from '@gptj-cloud/sdk';
import { listOption, type OptionSpec, type ParsedOptions, UsageError } from '../options.ts';

const SCOPES: readonly Scope[] = ['run', 'read', 'write', 'admin'];

export const SCOPES_OPTION: OptionSpec = {
  name: 'scopes',
  value: 'SCOPE,…',
  summary: 'scopes of the token: run, read, write, admin',
};

/** The scopes of `--scopes`; null without it. Throws `UsageError` for another word. */
export function readScopes(options: ParsedOptions): readonly Scope[] | null {
  const words = listOption(options, 'scopes');
  if (words === null) return null;
  if (words.length === 0) throw new UsageError(`--scopes: expected some of ${SCOPES.join(', ')}, got none`);
  return words.map((word) => {
    const scope = SCOPES.find((known) => known === word);
    if (scope !== undefined) return scope;
    throw new UsageError(`--scopes: expected some of ${SCOPES.join(', ')}, got ${JSON.stringify(word)}`);
  });
}
