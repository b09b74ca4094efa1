/** What to do about an error, beyond its message. */
import { PipelineApiError } from '@gptj-cloud/sdk';

/** Remedies by the code of the error, where a command of gptj helps. */
const REMEDIES: ReadonlyMap<string, string> = new Map([
  ['token_unknown', 'gptj login URL stores a token that the server knows'],
  ['token_expired', 'gptj login URL stores a new token'],
  ['token_disabled', 'gptj login URL stores another token'],
  ['connection_failed', 'gptj serve starts a server; --url and gptj login name another one'],
  ['confirmation_required', 'set GPTJ_PASSWORD, or run the command at a terminal, which asks for the password'],
  ['code_required', 'add --code CODE: that of the authenticator app, or a recovery code'],
  ['plan_required', 'an owner of the server grants a plan: gptj plans grant NAME PLAN'],
]);

/** One sentence, or null where the message has everything. */
export function remedyOf(error: unknown): string | null {
  return error instanceof PipelineApiError ? (REMEDIES.get(error.code) ?? null) : null;
}
