import { ApiError } from '@gptj-cloud/protocol';
import type { Context } from 'hono';
import type { Caller } from '../../audit/audit-log.ts';
import type { SignedIn } from '../../identity/sessions/sign-in.ts';
import type { AppEnv } from './app-env.ts';

/** Who is signed in. Throws `session_required` when an API token asks: a stolen token must not take an account over. */
export function requireSession(c: Context<AppEnv>): SignedIn {
  const signedIn = c.get('signedIn');
  if (signedIn === undefined) throw new ApiError('session_required');
  return signedIn;
}

/** The caller as the audit log names it; on public addresses, without a user. */
export function callerOf(c: Context<AppEnv>): Caller {
  // Unset on public addresses, whatever the type says.
  const principal: AppEnv['Variables']['principal'] | undefined = c.get('principal');
  return {
    userId: principal?.userId ?? null,
    apiKeyId: principal?.apiKeyId ?? null,
    address: c.get('clientAddress'),
    requestId: c.get('requestId'),
  };
}
