import type { Database } from '../store/db.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Mailer } from './mailer.ts';
import type { OAuthProvider } from './oauth/oauth-provider.ts';
import type { PasswordHasher } from './sessions/password.ts';

/** Who may register: anybody, those whom a project invited, nobody. */
export type RegistrationPolicy = 'open' | 'invited' | 'closed';

export interface AccountSettings {
  readonly registration: RegistrationPolicy;
  /** Whether an account whose e-mail address is not verified may do nothing else but verify it. */
  readonly requireVerifiedEmail: boolean;
}

/** What accounts have to know of plans. */
export interface AccountPlans {
  /** Plan of new accounts. */
  readonly defaultPlan: { readonly id: string };
  /** The plan that counts for somebody: the default one when theirs is there no more. */
  planOf(user: { readonly planId: string }): { readonly id: string };
}

/** What accounts are made of. */
export interface AccountDeps {
  readonly db: Database;
  readonly clock: () => Date;
  readonly logger: Logger;
  readonly mailer: Mailer;
  readonly passwords: PasswordHasher;
  readonly settings: AccountSettings;
  readonly plans: AccountPlans;
  /** By name: whom else people can sign in with. */
  readonly providers: ReadonlyMap<string, OAuthProvider>;
  /** Where people reach this server, for links; never taken from a request. Without a slash at its end. */
  readonly publicUrl: () => string;
}
