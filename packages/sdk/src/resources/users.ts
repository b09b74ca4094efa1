/** The own account, and the accounts of the server for its owners. */
import type { PreferencesPatch, UserPatch } from '@gptj-cloud/protocol';
import type { Endpoint } from '../connection.ts';
import { read, remove, send } from '../exchange.ts';
import { dateAt, nullable, numberAt, objectAt, pageOf } from '../fields.ts';
import { type CallOptions, type ConfirmedOptions, type ListOptions, pageQuery } from '../options.ts';
import { type PagePromise, pagesOf } from '../pages.ts';
import { type Preferences, parseUser, type User } from './session-records.ts';

export interface ProfileChange {
  readonly username?: string;
  readonly firstname?: string | null;
  readonly lastname?: string | null;
  readonly company?: string | null;
  readonly jobTitle?: string | null;
  /** Null clears a choice; absent ones stay. */
  readonly preferences?: { readonly [Name in keyof Preferences]?: Preferences[Name] | null };
}

export interface UserChange {
  readonly role?: 'owner' | 'member';
  /** `true` ends the sessions of the account and refuses its tokens. */
  readonly disabled?: boolean;
}

/** A user in the list of the owners of the server. */
export interface ListedUser extends User {
  /** The last request in a session or by a token. */
  readonly lastSeen: Date | null;
  /** Runs of the projects that the user owns. */
  readonly runs30Days: number;
}

export interface UserListOptions extends ListOptions {
  /** Part of the address or a name, ignoring case. */
  readonly text?: string | undefined;
  readonly role?: 'owner' | 'member' | undefined;
  readonly planId?: string | undefined;
  readonly disabled?: boolean | undefined;
}

export interface Users {
  /** The account behind the token or the session. */
  me(options?: CallOptions): Promise<User>;
  /** Needs a session. */
  changeProfile(change: ProfileChange, options?: CallOptions): Promise<User>;
  /** For owners of the server, like all that follow. */
  list(options?: UserListOptions): PagePromise<ListedUser>;
  get(id: string, options?: CallOptions): Promise<User>;
  change(id: string, change: UserChange, options?: ConfirmedOptions): Promise<User>;
  /** Delete an account with all its data. */
  delete(id: string, options?: ConfirmedOptions): Promise<void>;
}

function parseListedUser(reply: unknown): ListedUser {
  const raw = objectAt(reply, 'a user');
  return {
    ...parseUser(reply),
    lastSeen: nullable(dateAt)(raw.last_seen, 'last_seen'),
    runs30Days: numberAt(raw.runs_30_days, 'runs_30_days'),
  };
}

export function createUsers(endpoint: Endpoint): Users {
  const at = (id: string): string => `/v2/users/${encodeURIComponent(id)}`;
  return {
    me: async (options) => await read(endpoint, '/v2/users/me', parseUser, options),
    changeProfile: async ({ jobTitle, preferences, ...names }, options) => {
      const body: UserPatch = { ...names, job_title: jobTitle, preferences: preferences && toWire(preferences) };
      return await send(endpoint, { method: 'PATCH', path: '/v2/users/me', body }, parseUser, options);
    },
    list: (options = {}) =>
      pagesOf(options, async (page) => {
        const { text, role, planId, disabled } = page;
        const query = pageQuery(page);
        if (text !== undefined) query.set('q', text);
        if (role !== undefined) query.set('role', role);
        if (planId !== undefined) query.set('plan_id', planId);
        if (disabled !== undefined) query.set('disabled', String(disabled));
        return await read(endpoint, `/v2/users?${query}`, (reply) => pageOf(reply, parseListedUser), page);
      }),
    get: async (id, options) => await read(endpoint, at(id), parseUser, options),
    change: async (id, { role, disabled }, options) =>
      await send(endpoint, { method: 'PATCH', path: at(id), body: { role, disabled } }, parseUser, options),
    delete: async (id, options) => await remove(endpoint, at(id), options),
  };
}

function toWire(change: NonNullable<ProfileChange['preferences']>): PreferencesPatch {
  const { theme, density, singleKeyShortcuts, textFont, motion, timeZone, dismissedHints } = change;
  return {
    theme,
    density,
    single_key_shortcuts: singleKeyShortcuts,
    text_font: textFont,
    motion,
    time_zone: timeZone,
    dismissed_hints: dismissedHints && [...dismissedHints],
  };
}
