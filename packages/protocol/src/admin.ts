/** What owners of the server see of it as a whole. */
import { z } from 'zod';
import { engineGetSchema } from './engine.ts';
import { nameSchema } from './names.ts';
import { paginatedSchema } from './paginated.ts';
import { timestampSchema } from './timestamp.ts';
import { userGetSchema } from './users.ts';

const MAX_MESSAGE_LENGTH = 300;

/** Whether new runs are refused. The other fields are null while they are not. */
export const maintenanceGetSchema = z.object({
  is_on: z.boolean(),
  message: z.string().nullable(),
  retry_after_seconds: z.number().nullable(),
  since: timestampSchema.nullable(),
});
export type MaintenanceGet = z.infer<typeof maintenanceGetSchema>;

/** Body of `PATCH /v2/admin/maintenance`. */
export const maintenancePatchSchema = z.strictObject({
  is_on: z.boolean(),
  /** The sentence that refused clients get. Default: the present one, else a general one. */
  message: z
    .string()
    .trim()
    .min(1, 'expected at least one character')
    .max(MAX_MESSAGE_LENGTH, `expected at most ${MAX_MESSAGE_LENGTH} characters`)
    .regex(/^[^\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]*$/u, 'expected one line without control characters')
    .nullish(),
  /** When refused clients may try again. Default: the present time, else 300. */
  retry_after_seconds: z.int().min(1).max(86_400).nullish(),
});
export type MaintenancePatch = z.infer<typeof maintenancePatchSchema>;

/** A setting as the server read it. */
const settingGetSchema = z.object({
  name: z.string(),
  group: z.string(),
  /** One phrase, in Markdown. */
  help: z.string(),
  /** As it was given; null where it is secret or the default holds. */
  value: z.string().nullable(),
  /** In Markdown. */
  default: z.string(),
  is_set: z.boolean(),
  is_secret: z.boolean(),
});
export type SettingGet = z.infer<typeof settingGetSchema>;

/** Reply to `GET /v2/admin/overview`. */
export const adminOverviewSchema = z.object({
  version: z.string(),
  node: z.string(),
  /** Of this server's process. */
  started_at: timestampSchema,
  users: z.object({
    total: z.number(),
    owners: z.number(),
    disabled: z.number(),
    /** Users with a request in a session or by a token since midnight UTC. */
    active_today: z.number(),
  }),
  /** Requests for a plan that wait for an owner. */
  plan_requests: z.number(),
  /** Open runs of all servers on the store. */
  runs: z.object({ received: z.number(), running: z.number(), oldest_waiting_ms: z.number().nullable() }),
  webhooks: z.object({ waiting: z.number(), sending: z.number(), open_breakers: z.number() }),
  engine: engineGetSchema,
  store: z.object({ kind: z.enum(['embedded', 'postgresql']), bytes: z.number() }),
  /** The disk of the embedded store. */
  disk: z.object({ free_bytes: z.number(), total_bytes: z.number() }).nullable(),
  maintenance: maintenanceGetSchema,
  settings: z.array(settingGetSchema),
});
export type AdminOverview = z.infer<typeof adminOverviewSchema>;

/** An open run of any project, without its input. */
export const adminRunGetSchema = z.object({
  id: z.string(),
  state: z.enum(['received', 'running']),
  project: z.object({ id: z.string(), name: nameSchema }),
  /** Who sent it: the user of its token, else the owner of the project. */
  user: z.object({ id: z.string(), username: z.string() }),
  pipeline_id: z.string(),
  /** Computed tokens that are reserved for it; null where its plan has no limits. */
  reserved_tokens: z.number().nullable(),
  priority: z.number(),
  attempts: z.number(),
  async_run: z.boolean(),
  created_at: timestampSchema,
  started_at: timestampSchema.nullable(),
  /** From its arrival until its start, or until now. */
  waited_ms: z.number(),
  cancel_requested: z.boolean(),
});
export type AdminRunGet = z.infer<typeof adminRunGetSchema>;
export const adminRunPageSchema = paginatedSchema(adminRunGetSchema);

/** A user in the list of the owners of the server. */
export const userAdminGetSchema = userGetSchema.extend({
  /** The last request in a session or by a token. */
  last_seen: timestampSchema.nullable(),
  /** Runs of the projects that the user owns, in the last 30 days. */
  runs_30_days: z.number(),
});
export type UserAdminGet = z.infer<typeof userAdminGetSchema>;
