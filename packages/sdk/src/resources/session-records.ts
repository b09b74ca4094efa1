/** Users and sessions as replies show them. */
import { booleanAt, dateAt, listOf, nullable, oneOf, optional, record, stringAt } from '../fields.ts';
import type { Density, Motion, TextFont, Theme, TimeZoneChoice } from '../reply-types.ts';

/** Choices of a user for the dashboard. Null: the default of the dashboard. */
export interface Preferences {
  readonly theme: Theme | null;
  readonly density: Density | null;
  /** Whether keys without a modifier act. */
  readonly singleKeyShortcuts: boolean | null;
  /** Font of prompts and generated text. */
  readonly textFont: TextFont | null;
  readonly motion: Motion | null;
  readonly timeZone: TimeZoneChoice | null;
  readonly dismissedHints: readonly string[];
}

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
  readonly preferences: Preferences;
  /** `owner` of the server, or `member`. */
  readonly role: 'owner' | 'member';
  /** Id of the plan in force. */
  readonly planId: string | null;
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

const parsePreferences = record<Preferences>({
  theme: nullable(oneOf('system', 'light', 'dark')),
  density: nullable(oneOf('comfortable', 'compact')),
  singleKeyShortcuts: nullable(booleanAt),
  textFont: nullable(oneOf('sans', 'mono', 'serif')),
  motion: nullable(oneOf('system', 'reduced')),
  timeZone: nullable(oneOf('local', 'utc')),
  dismissedHints: optional(listOf(stringAt), []),
});

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
  preferences: (value, field) => parsePreferences(value ?? {}, field),
  role: optional(oneOf('owner', 'member'), 'member'),
  planId: nullable(stringAt),
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
