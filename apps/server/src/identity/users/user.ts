import { toTimestamp, type UserGet } from '@gptj-cloud/protocol';
import type { AccountPlans } from '../account-deps.ts';
import type { users } from '../identity-tables.ts';

/** A person's account. */
export type User = Readonly<typeof users.$inferSelect>;

/** As the account's owner and the owners of the server see it. */
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
    role: user.role,
    two_factor: user.totpEnabled,
    disabled: user.disabledAt !== null,
    created_at: toTimestamp(user.createdAt),
  };
}
