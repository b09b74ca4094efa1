import { ApiError } from '@gptj-cloud/protocol';
import type { PasswordDeps } from '../account-deps.ts';
import { hashSecret } from '../secret.ts';
import { beginCheck, verifyCounted } from '../sessions/login-guard.ts';
import type { SignedIn } from '../sessions/sign-in.ts';

/** A mailed link that is followed, with what shows that the one who follows it asked for it. */
export interface FollowedLink {
  readonly token: string;
  readonly password?: string | null | undefined;
  /** The session of the request, if any. */
  readonly signedIn?: SignedIn | undefined;
}

/**
 * Refuse a link to confirm an address unless the one who follows it holds the account: by a session or the password of it.
 * Otherwise an attacker could register, or change to, the address of a victim, whose click would then confirm the
 * attacker's account. Wrong passwords count for the link. Throws `confirmation_required`, `password_wrong`,
 * `too_many_attempts`.
 */
export async function confirmLinkOwner(
  deps: PasswordDeps,
  { token, password, signedIn }: FollowedLink,
  account: { readonly userId: string | null; readonly passwordHash: string | null },
): Promise<void> {
  if (account.userId !== null && signedIn?.user.id === account.userId) return;
  if (password == null) {
    const remedy =
      'send the password of the account that asked for this link as password, or follow it while signed in';
    throw new ApiError('confirmation_required', {}, { remedy });
  }
  const attempt = await beginCheck(deps.db, deps.clock(), 'link_password', hashSecret(token));
  if (!(await verifyCounted(deps, attempt, password, account.passwordHash))) throw new ApiError('password_wrong');
  await attempt.succeeded();
}
