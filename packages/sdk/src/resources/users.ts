/** The own account, and the accounts of the server for its owners. */
import type { UserPatch } from '@gptj-cloud/protocol';
import type { Endpoint } from '../connection.ts';
import { read, remove, send } from '../exchange.ts';
import { type Page, pageOf } from '../fields.ts';
import { type CallOptions, type ConfirmedOptions, type ListOptions, pageQuery } from '../options.ts';
import { parseUser, type User } from './session-records.ts';

export interface ProfileChange {
  readonly username?: string;
  readonly firstname?: string | null;
  readonly lastname?: string | null;
  readonly company?: string | null;
  readonly jobTitle?: string | null;
}

export interface UserChange {
  readonly role?: 'owner' | 'member';
  /** `true` ends the sessions of the account and refuses its tokens. */
  readonly disabled?: boolean;
}

export interface Users {
  /** The account behind the token or the session. */
  me(options?: CallOptions): Promise<User>;
  /** Needs a session. */
  changeProfile(change: ProfileChange, options?: CallOptions): Promise<User>;
  /** For owners of the server, like all that follow. */
  list(options?: ListOptions): Promise<Page<User>>;
  get(id: string, options?: CallOptions): Promise<User>;
  change(id: string, change: UserChange, options?: ConfirmedOptions): Promise<User>;
  /** Delete an account with all its data. */
  delete(id: string, options?: ConfirmedOptions): Promise<void>;
}

export function createUsers(endpoint: Endpoint): Users {
  const at = (id: string): string => `/v2/users/${encodeURIComponent(id)}`;
  return {
    me: async (options) => await read(endpoint, '/v2/users/me', parseUser, options),
    changeProfile: async ({ jobTitle, ...names }, options) => {
      const body: UserPatch = { ...names, job_title: jobTitle };
      return await send(endpoint, { method: 'PATCH', path: '/v2/users/me', body }, parseUser, options);
    },
    list: async (options = {}) =>
      await read(endpoint, `/v2/users?${pageQuery(options)}`, (reply) => pageOf(reply, parseUser), options),
    get: async (id, options) => await read(endpoint, at(id), parseUser, options),
    change: async (id, { role, disabled }, options) =>
      await send(endpoint, { method: 'PATCH', path: at(id), body: { role, disabled } }, parseUser, options),
    delete: async (id, options) => await remove(endpoint, at(id), options),
  };
}
