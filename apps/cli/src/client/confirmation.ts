/** The proof that the user of a token is there in person, which some changes need besides the token. */
import type { Confirmation } from '@gptj-cloud/sdk';
import type { CommandContext } from '../command.ts';
import type { ParsedOptions } from '../options.ts';
import { typedSecret } from './typed-secret.ts';

/**
 * The password in GPTJ_PASSWORD, else typed at the terminal, and the code of `--code`. Without a password the result is empty,
 * and the server's refusal says what it needs.
 */
export async function readConfirmation(
  context: CommandContext,
  options: ParsedOptions,
): Promise<{ readonly confirmation?: Confirmation }> {
  const { env, stdin } = context;
  const password =
    env.GPTJ_PASSWORD ?? (stdin.isTTY === true ? await typedSecret(context, "Password of the token's user: ") : '');
  if (password === '') return {};
  const code = options.values.get('code');
  return { confirmation: { password, ...(code === undefined ? {} : { code }) } };
}
