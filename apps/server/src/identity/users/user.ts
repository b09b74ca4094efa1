import { type Preferences, preferencesSchema, toTimestamp, type UserGet } from '@gptj-cloud/protocol';
import type { AccountPlans } from '../account-deps.ts';

/** A person's account. */
export interface User {
  readonly id: string;
  readonly email: string;
  readonly username: string;
  /** Null: the user signs in through a provider only. */
  readonly passwordHash: string | null;
  /** What the user may do with this server as a whole. */
  readonly role: 'owner' | 'member';
  readonly planId: string;
  readonly firstname: string | null;
  readonly lastname: string | null;
  readonly company: string | null;
  readonly jobTitle: string | null;
  /** When the user proved to own the e-mail address; null: not yet. */
  readonly verifiedAt: Date | null;
  /** Hexadecimal; without `totpEnabled` it waits for its first code. */
  readonly totpSecret: string | null;
  readonly totpEnabled: boolean;
  /** The last TOTP time step whose code was used. */
  readonly totpLastStep: number | null;
  readonly disabledAt: Date | null;
  /** JSON of the choices for the dashboard; null: none. */
  readonly preferences: string | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** None when another version of the server stored choices that this one does not know. */
export function preferencesOf({ preferences }: Pick<User, 'preferences'>): Preferences {
  return preferences === null ? {} : (preferencesSchema.safeParse(JSON.parse(preferences)).data ?? {});
}

/** The reply with all fields of a user, for that user and for owners of the server. */
export function toUserGet(user: User, plans: AccountPlans): UserGet {
  return {
    id: user.id,
    email: user.email,
    username: user.username,
    firstname: user.firstname,
    lastname: user.lastname,
    company: user.company,
    job_title: user.jobTitle,
    verified: user.verifiedAt !== null,
    subscribed: plans.planOf(user).id !== plans.defaultPlan.id,
    onboarded: true,
    preferences: preferencesOf(user),
    role: user.role,
    plan_id: plans.planOf(user).id,
    two_factor: user.totpEnabled,
    disabled: user.disabledAt !== null,
    created_at: toTimestamp(user.createdAt),
  };
}
