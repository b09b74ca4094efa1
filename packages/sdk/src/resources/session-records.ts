/** Users and sessions as replies show them. */
import type { RecoveryKeep } from '@gptj-cloud/protocol';
import { booleanAt, dateAt, nullable, objectAt, oneOf, optional, record, stringAt } from '../fields.ts';
import type { JsonObject } from '../json.ts';

export interface User {
  readonly id: string;
  readonly email: string;
  readonly username: string;
  readonly firstname: string | null;
  readonly lastname: string | null;
  readonly company: string | null;
  readonly jobTitle: string | null;
  readonly oauthProvider: string | null;
  /** Whether the address is confirmed. */
  readonly verified: boolean;
  /** Whether the plan has a price. */
  readonly subscribed: boolean;
  readonly onboarded: boolean;
  readonly preferences: JsonObject;
  /** `owner` of the server, or `member`. */
  readonly role: 'owner' | 'member';
  readonly twoFactor: boolean;
  readonly disabled: boolean;
  readonly createdAt: Date | null;
}

export interface Session {
  readonly id: string;
  readonly user: User;
  readonly csrfToken: string;
  readonly expiresAt: Date;
}

/** What a recovery may keep of an account. */
export type Keep = RecoveryKeep;

export const parseUser: (reply: unknown, field?: string) => User = record<User>({
  id: stringAt,
  email: stringAt,
  username: stringAt,
  firstname: nullable(stringAt),
  lastname: nullable(stringAt),
  company: nullable(stringAt),
  jobTitle: nullable(stringAt),
  oauthProvider: nullable(stringAt),
  verified: booleanAt,
  subscribed: booleanAt,
  onboarded: booleanAt,
  preferences: optional(objectAt, {}),
  role: optional(oneOf('owner', 'member'), 'member'),
  twoFactor: optional(booleanAt, false),
  disabled: optional(booleanAt, false),
  createdAt: nullable(dateAt),
});

export const parseSession: (reply: unknown, field?: string) => Session = record<Session>({
  id: stringAt,
  user: parseUser,
  csrfToken: stringAt,
  expiresAt: dateAt,
});
