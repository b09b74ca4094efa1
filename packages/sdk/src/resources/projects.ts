/** Projects, their members, and invitations to them. */
import type { Endpoint } from '../connection.ts';
import { order, read, remove, send } from '../exchange.ts';
import { dataOf, dateAt, nullable, numberAt, oneOf, pageOf, record, stringAt } from '../fields.ts';
import { type CallOptions, type ConfirmedOptions, type ListOptions, pageQuery } from '../options.ts';
import { type PagePromise, pagesOf } from '../pages.ts';
import { type AuditEntry, type AuditOptions, readAuditLog } from './audit-records.ts';

export interface Project {
  readonly id: string;
  readonly name: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  /** Role of the caller. */
  readonly role: 'owner' | 'member';
  /** Number of runs. */
  readonly nPipelineRuns: number;
  /** Number of uploaded data. */
  readonly nData: number;
}

export interface Member {
  readonly userId: string;
  readonly username: string;
  readonly role: 'owner' | 'member';
  readonly addedAt: Date;
}

export interface Invitation {
  readonly id: string;
  readonly project: { readonly id: string; readonly name: string };
  /** The invited address; null: the invitation names a username. */
  readonly email: string | null;
  readonly username: string | null;
  readonly invitedBy: string;
  readonly createdAt: Date;
  readonly expiresAt: Date;
}

/** Whom an invitation names. */
export type Invited = { readonly email: string } | { readonly username: string };

export interface Projects {
  /** Needs a session. */
  create(name: string, options?: CallOptions): Promise<Project>;
  list(options?: ListOptions): PagePromise<Project>;
  get(id: string, options?: CallOptions): Promise<Project>;
  /** For the owner of the project. */
  rename(id: string, name: string, options?: CallOptions): Promise<Project>;
  /** For the owner. Throws `ConflictError` for a project with runs or data, and for the only one. */
  delete(id: string, options?: ConfirmedOptions): Promise<void>;
  members(id: string, options?: CallOptions): Promise<readonly Member[]>;
  /** For the owner, or the member who leaves. */
  removeMember(id: string, userId: string, options?: ConfirmedOptions): Promise<void>;
  /** The open invitations to the project. */
  invitations(id: string, options?: CallOptions): Promise<readonly Invitation[]>;
  /** For the owner. Returns the open invitations: the same whether or not an account has the username. */
  invite(id: string, invited: Invited, options?: ConfirmedOptions): Promise<readonly Invitation[]>;
  /** The changes in the project and who made them, for its owner. */
  auditLog(id: string, options?: AuditOptions): PagePromise<AuditEntry>;
  withdrawInvitation(id: string, invitationId: string, options?: CallOptions): Promise<void>;
}

/** Invitations of the caller. All calls need a session. */
export interface Invitations {
  list(options?: CallOptions): Promise<readonly Invitation[]>;
  accept(id: string, options?: CallOptions): Promise<void>;
  decline(id: string, options?: CallOptions): Promise<void>;
}

const parseProject = record<Project>({
  id: stringAt,
  name: stringAt,
  createdAt: dateAt,
  updatedAt: dateAt,
  role: oneOf('owner', 'member'),
  nPipelineRuns: numberAt,
  nData: numberAt,
});

const parseMembers = dataOf(
  record<Member>({ userId: stringAt, username: stringAt, role: oneOf('owner', 'member'), addedAt: dateAt }),
);

const parseInvitations = dataOf(
  record<Invitation>({
    id: stringAt,
    project: record<Invitation['project']>({ id: stringAt, name: stringAt }),
    email: nullable(stringAt),
    username: nullable(stringAt),
    invitedBy: stringAt,
    createdAt: dateAt,
    expiresAt: dateAt,
  }),
);

export function createProjects(endpoint: Endpoint): Projects {
  const root = '/v2/projects';
  const at = (id: string, ...rest: readonly string[]): string =>
    [root, ...[id, ...rest].map((part) => encodeURIComponent(part))].join('/');
  return {
    create: async (name, options) => await send(endpoint, { path: root, body: { name } }, parseProject, options),
    list: (options = {}) =>
      pagesOf(
        options,
        async (page) =>
          await read(endpoint, `${root}?${pageQuery(page)}`, (reply) => pageOf(reply, parseProject), page),
      ),
    get: async (id, options) => await read(endpoint, at(id), parseProject, options),
    rename: async (id, name, options) =>
      await send(endpoint, { method: 'PATCH', path: at(id), body: { name } }, parseProject, options),
    delete: async (id, options) => await remove(endpoint, at(id), options),
    members: async (id, options) => await read(endpoint, at(id, 'members'), parseMembers, options),
    removeMember: async (id, userId, options) => await remove(endpoint, at(id, 'members', userId), options),
    invitations: async (id, options) => await read(endpoint, at(id, 'invitations'), parseInvitations, options),
    invite: async (id, invited, options) => {
      const path = at(id, 'email' in invited ? 'invitations' : 'members');
      return await send(endpoint, { path, body: invited }, parseInvitations, options);
    },
    auditLog: (id, options) => readAuditLog(endpoint, `/v2/projects/${encodeURIComponent(id)}/audit-log`, options),
    withdrawInvitation: async (id, invitationId, options) =>
      await remove(endpoint, at(id, 'invitations', invitationId), options),
  };
}

export function createInvitations(endpoint: Endpoint): Invitations {
  const root = '/v2/invitations';
  return {
    list: async (options) => await read(endpoint, root, parseInvitations, options),
    accept: async (id, options) => await order(endpoint, { path: `${root}/${encodeURIComponent(id)}/accept` }, options),
    decline: async (id, options) =>
      await order(endpoint, { path: `${root}/${encodeURIComponent(id)}/decline` }, options),
  };
}
