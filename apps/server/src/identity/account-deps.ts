import type { Database } from '../store/db.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { AfterReply } from './after-reply.ts';
import type { Mailer } from './mailer.ts';
import type { OAuthProvider } from './oauth/oauth-provider.ts';
import type { ContentsPort } from './projects/project-contents.ts';
import type { PasswordHasher } from './sessions/password.ts';

/** Who may register: anyone, invited addresses only, or no one. */
export type RegistrationPolicy = 'open' | 'invited' | 'closed';

export interface AccountSettings {
  readonly registration: RegistrationPolicy;
  /** Whether an account with an unverified e-mail address is refused everything but verifying it. */
  readonly requireVerifiedEmail: boolean;
  /** Whether mail reaches users. Then an account begins when its address is confirmed. */
  readonly sendsMail: boolean;
  /** How long a sign-in or a confirmation by password allows sensitive changes. */
  readonly confirmationMs: number;
}

/** The part of the plan book that accounts use. */
export interface AccountPlans {
  /** Plan of new accounts. */
  readonly defaultPlan: { readonly id: string };
  /** The plan in force for a user: the default plan when the user's own plan no longer exists. */
  planOf(user: { readonly planId: string }): { readonly id: string };
}

/** Dependencies of services that only read and write the store. */
export interface StoreDeps {
  readonly db: Database;
  readonly clock: () => Date;
}

/** Dependencies of services that set or check passwords. */
export interface PasswordDeps extends StoreDeps {
  readonly passwords: PasswordHasher;
}

/** Dependencies of services that send mail. */
export interface MailDeps extends StoreDeps {
  readonly mailer: Mailer;
  /** Base URL of links, without a trailing slash. From the settings, never from a request. */
  readonly publicUrl: () => string;
}

/** Dependencies of services whose reply must not depend on the work they do. */
export interface DeferDeps {
  readonly afterReply: AfterReply;
}

/** Dependencies of services that create accounts. */
export interface RegistrationDeps extends MailDeps {
  readonly settings: AccountSettings;
  readonly plans: AccountPlans;
}

/** Dependencies of social sign-in. */
export interface OAuthDeps extends RegistrationDeps {
  readonly logger: Logger;
  /** Sign-in providers by name. */
  readonly providers: ReadonlyMap<string, OAuthProvider>;
}

/** Dependencies of services that count or delete what other features store for an account. */
export interface ContentsDeps extends StoreDeps {
  readonly contents: ContentsPort;
}

/** Dependencies of all account services; each service names the part that it needs. */
export interface AccountDeps extends PasswordDeps, OAuthDeps, ContentsDeps, DeferDeps {}
