/** Users, projects, sessions, social identities and API keys, as the migrations in `store/migrations` create them. */
import { bigint, boolean, integer, pgTable, primaryKey, text } from 'drizzle-orm/pg-core';
import { moment } from '../store/columns.ts';

export const users = pgTable('users', {
  id: text('id').primaryKey(),
  email: text('email').notNull().unique(),
  username: text('username').notNull(),
  passwordHash: text('password_hash'),
  role: text('role', { enum: ['owner', 'member'] }).notNull(),
  planId: text('plan_id').notNull(),
  firstname: text('firstname'),
  lastname: text('lastname'),
  company: text('company'),
  jobTitle: text('job_title'),
  verifiedAt: moment('verified_at'),
  totpSecret: text('totp_secret'),
  totpEnabled: boolean('totp_enabled').notNull().default(false),
  totpLastStep: bigint('totp_last_step', { mode: 'number' }),
  disabledAt: moment('disabled_at'),
  preferences: text('preferences'),
  createdAt: moment('created_at').notNull(),
  updatedAt: moment('updated_at').notNull(),
});

export const projects = pgTable('projects', {
  id: text('id').primaryKey(),
  name: text('name').notNull(),
  ownerId: text('owner_id')
    .notNull()
    .references(() => users.id),
  createdAt: moment('created_at').notNull(),
  updatedAt: moment('updated_at').notNull(),
});

export const projectMembers = pgTable(
  'project_members',
  {
    projectId: text('project_id')
      .notNull()
      .references(() => projects.id),
    userId: text('user_id')
      .notNull()
      .references(() => users.id),
    role: text('role', { enum: ['owner', 'member'] }).notNull(),
    addedAt: moment('added_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.projectId, table.userId] })],
);

export const projectInvitations = pgTable('project_invitations', {
  id: text('id').primaryKey(),
  projectId: text('project_id')
    .notNull()
    .references(() => projects.id),
  /** Null: the invitation names a username. */
  email: text('email'),
  username: text('username'),
  /** The account with the username; null when there is none. */
  userId: text('user_id').references(() => users.id),
  invitedBy: text('invited_by')
    .notNull()
    .references(() => users.id),
  createdAt: moment('created_at').notNull(),
  expiresAt: moment('expires_at').notNull(),
});

export const sessions = pgTable('sessions', {
  id: text('id').primaryKey(),
  userId: text('user_id')
    .notNull()
    .references(() => users.id),
  hash: text('hash').notNull().unique(),
  createdAt: moment('created_at').notNull(),
  lastSeenAt: moment('last_seen_at').notNull(),
  expiresAt: moment('expires_at').notNull(),
  confirmedAt: moment('confirmed_at').notNull(),
  address: text('address').notNull(),
  userAgent: text('user_agent').notNull(),
});

export const knownDevices = pgTable(
  'known_devices',
  {
    userId: text('user_id')
      .notNull()
      .references(() => users.id),
    hash: text('hash').notNull(),
    createdAt: moment('created_at').notNull(),
    lastUsedAt: moment('last_used_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.userId, table.hash] })],
);

export const pendingRegistrations = pgTable('pending_registrations', {
  hash: text('hash').primaryKey(),
  email: text('email').notNull(),
  username: text('username').notNull(),
  passwordHash: text('password_hash').notNull(),
  createdAt: moment('created_at').notNull(),
  expiresAt: moment('expires_at').notNull(),
});

export const accountLinks = pgTable('account_links', {
  hash: text('hash').primaryKey(),
  purpose: text('purpose', {
    enum: ['set_up', 'verify_email', 'reset_password', 'change_email', 'oauth_code'],
  }).notNull(),
  userId: text('user_id')
    .notNull()
    .references(() => users.id),
  email: text('email').notNull(),
  createdAt: moment('created_at').notNull(),
  expiresAt: moment('expires_at').notNull(),
});

export const identities = pgTable('identities', {
  id: text('id').primaryKey(),
  userId: text('user_id')
    .notNull()
    .references(() => users.id),
  provider: text('provider').notNull(),
  issuer: text('issuer').notNull(),
  subject: text('subject').notNull(),
  name: text('name').notNull(),
  createdAt: moment('created_at').notNull(),
  lastUsedAt: moment('last_used_at'),
});

export const oauthFlows = pgTable('oauth_flows', {
  stateHash: text('state_hash').primaryKey(),
  browserHash: text('browser_hash').notNull(),
  provider: text('provider').notNull(),
  sessionId: text('session_id').references(() => sessions.id),
  expiresAt: moment('expires_at').notNull(),
});

export const recoveryCodes = pgTable(
  'recovery_codes',
  {
    userId: text('user_id')
      .notNull()
      .references(() => users.id),
    hash: text('hash').notNull(),
  },
  (table) => [primaryKey({ columns: [table.userId, table.hash] })],
);

export const loginFailures = pgTable('login_failures', {
  subject: text('subject').primaryKey(),
  failures: integer('failures').notNull(),
  lastFailureAt: moment('last_failure_at').notNull(),
  lockedUntil: moment('locked_until'),
});

export const apiKeys = pgTable('api_keys', {
  id: text('id').primaryKey(),
  name: text('name').notNull(),
  hash: text('hash').notNull().unique(),
  source: text('source', { enum: ['generated', 'environment'] }).notNull(),
  createdAt: moment('created_at').notNull(),
  userId: text('user_id').notNull(),
  projectId: text('project_id').notNull(),
  scopes: text('scopes').notNull(),
  hint: text('hint').notNull(),
  isEnabled: boolean('is_enabled').notNull().default(true),
  expiresAt: moment('expires_at'),
  lastUsedAt: moment('last_used_at'),
  updatedAt: moment('updated_at').notNull(),
  previousHash: text('previous_hash').unique(),
  previousUntil: moment('previous_until'),
});
