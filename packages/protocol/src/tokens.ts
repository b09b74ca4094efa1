import { z } from 'zod';
import { nameSchema } from './names.ts';
import { timestampSchema } from './timestamp.ts';

/** `run` creates and reads runs, `read` reads, `write` changes, `admin` includes all of them and manages accounts. */
export const SCOPES = ['run', 'read', 'write', 'admin'] as const;
/** A permission of an API token. `admin` includes all others. */
export type Scope = (typeof SCOPES)[number];
export const scopeSchema = z.enum(SCOPES);

/** Role names for the usual sets of scopes. */
export const TOKEN_TYPES = {
  admin: ['run', 'read', 'write', 'admin'],
  editor: ['run', 'read', 'write'],
  runner: ['run'],
  reader: ['read'],
} as const satisfies Readonly<Record<string, readonly Scope[]>>;

/** An API token. `value` is complete only in the reply of its creation; later all but its first characters are masked. */
export const tokenGetSchema = z.object({
  id: z.string(),
  value: z.string(),
  name: z.string(),
  created_at: timestampSchema,
  updated_at: timestampSchema,
  expires_at: timestampSchema.nullish(),
  last_used: timestampSchema.nullish(),
  /** Whether it is accepted now: enabled and not expired. */
  is_active: z.boolean(),
  is_enabled: z.boolean(),
  /** Until when the value before the latest rotation is accepted. */
  previous_value_until: timestampSchema.nullish(),
  user_id: z.string().nullish(),
  project_id: z.string().optional(),
  scopes: z.array(scopeSchema).optional(),
});
export type TokenGet = z.infer<typeof tokenGetSchema>;

/** A time as clients write it: epoch seconds or ISO 8601 with a zone; a `Date` after parsing. */
const momentSchema = z
  .union(
    [z.number().min(0).max(8e12), z.iso.datetime({ offset: true })],
    'expected epoch seconds or ISO 8601 with a zone',
  )
  .transform((moment) => new Date(typeof moment === 'number' ? moment * 1000 : moment));

export const tokenCreateSchema = z.strictObject({
  name: nameSchema.nullish(),
  /** Sets the scopes by a role name; not together with `scopes`. Default: `editor`. */
  type: z.enum(['admin', 'editor', 'runner', 'reader']).nullish(),
  scopes: z.array(scopeSchema).min(1).max(SCOPES.length).nullish(),
  expires_at: momentSchema.nullish(),
});
export type TokenCreate = z.output<typeof tokenCreateSchema>;

/** Longest time that the value before a rotation is accepted: a week. */
const MAX_OVERLAP_SECONDS = 7 * 24 * 3600;

export const tokenRotateSchema = z.strictObject({
  /** How long the present value is still accepted. Default: not at all. */
  overlap_seconds: z.int().min(0).max(MAX_OVERLAP_SECONDS).optional(),
});
export type TokenRotate = z.infer<typeof tokenRotateSchema>;

export const tokenPatchSchema = z.strictObject({
  name: nameSchema.optional(),
  is_enabled: z.boolean().optional(),
  /** Null: never. `expire_at` is the name in Pipeline Cloud's schema. */
  expires_at: momentSchema.nullish(),
  expire_at: momentSchema.nullish(),
});
export type TokenPatch = z.output<typeof tokenPatchSchema>;
