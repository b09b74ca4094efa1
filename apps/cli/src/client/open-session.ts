/** Signs in for the length of one command, for what a token alone may not do. */
import { PipelineApiError, PipelineCloud, type Session } from '@gptj-cloud/sdk';
import type { CommandContext } from '../command.ts';
import { UsageError } from '../options.ts';
import { createCookieFetch } from './cookie-fetch.ts';
import { reportRetry } from './report-retry.ts';
import { typedSecret, typedText } from './typed-secret.ts';

export interface SignInRequest {
  readonly url: string;
  /** E-mail address or username; null: asked for at the terminal. */
  readonly login: string | null;
  /** Two-factor or recovery code; null: asked for where the server needs one. */
  readonly code: string | null;
}

export interface OpenedSession {
  readonly api: PipelineCloud;
  readonly session: Session;
}

const MAX_TRIES = 3;

/**
 * Sign in, call `use`, sign out. The password is that of GPTJ_PASSWORD, else typed. Throws `UsageError` without a terminal or
 * a password.
 */
export async function withSession<Value>(
  context: CommandContext,
  request: SignInRequest,
  use: (opened: OpenedSession) => Promise<Value>,
): Promise<Value> {
  const { env, stdin, signal } = context;
  const isTerminal = stdin.isTTY === true;
  const api = new PipelineCloud({
    session: true,
    url: request.url,
    fetch: createCookieFetch(request.url),
    onRetry: reportRetry(context.stderr),
  });
  const login = request.login ?? (isTerminal ? await typedText(context, 'E-mail address or username: ') : '');
  const password = env.GPTJ_PASSWORD ?? (isTerminal ? await typedSecret(context, 'Password: ') : '');
  signal.throwIfAborted();
  if (login === '' || password === '') {
    throw new UsageError('expected --user NAME and a password: in GPTJ_PASSWORD, or typed at a terminal');
  }
  const session = await signIn(context, api, { login, password, code: request.code ?? undefined });
  try {
    return await use({ api, session });
  } finally {
    // The session ends by itself when the server cannot be reached any more.
    await api.auth.logout().catch(() => undefined);
  }
}

async function signIn(
  context: CommandContext,
  api: PipelineCloud,
  credentials: { readonly login: string; readonly password: string; readonly code: string | undefined },
): Promise<Session> {
  const { signal, stdin } = context;
  let { code } = credentials;
  for (let tries = 1; ; tries++) {
    try {
      return await api.auth.login({ ...credentials, code }, { signal });
    } catch (error) {
      const reason = error instanceof PipelineApiError ? error.code : '';
      const needsCode = reason === 'code_required' || reason === 'code_wrong';
      if (!needsCode || stdin.isTTY !== true || tries === MAX_TRIES) throw error;
      if (reason === 'code_wrong') context.stderr.write('that code is wrong or was used before\n');
      code = await typedText(context, 'Code of the authenticator app, or a recovery code: ');
      signal.throwIfAborted();
    }
  }
}
