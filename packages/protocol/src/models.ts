/** The models in the data folder of a server, and their downloads: for its owners. */
import { z } from 'zod';
import { servedModelSchema } from './server.ts';
import { timestampSchema } from './timestamp.ts';

const modelSourceSchema = z.object({
  kind: z.enum(['hub', 'url', 'folder', 'file']),
  /** `EleutherAI/gpt-j-6b`, an address or a path. */
  from: z.string(),
  /** Branch, tag or commit that was requested. */
  revision: z.string().nullable(),
  commit: z.string().nullable(),
});

const storedModelGetSchema = z.object({
  name: z.string(),
  type: z.string(),
  size_bytes: z.number(),
  /** SHA-256 of the file, as hexadecimal digits. */
  checksum: z.string(),
  source: modelSourceSchema,
  stored_at: z.string(),
  /** Whether the server serves it: its settings name it, or an owner has it served. */
  is_served: z.boolean(),
});
export type StoredModelGet = z.infer<typeof storedModelGetSchema>;

/** Reply to `GET /v2/admin/models`. */
export const storedModelListSchema = z.object({
  data: z.array(storedModelGetSchema),
  /** The disk of the models. */
  disk: z.object({ free_bytes: z.number(), total_bytes: z.number() }),
});
export type StoredModelList = z.infer<typeof storedModelListSchema>;

/** Reply to `DELETE /v2/admin/models/{name}`. */
export const modelsRemovedSchema = z.object({ removed: z.array(z.string()), freed_bytes: z.number() });
export type ModelsRemoved = z.infer<typeof modelsRemovedSchema>;

/** Body of `POST /v2/admin/models/served`. */
export const modelServeSchema = z.strictObject({
  /** `NAME` or `NAME.TYPE` of the data folder, or `embedded`. */
  model: z.string().trim().min(1, 'expected at least one character').max(120, 'expected at most 120 characters'),
  /** By which requests choose it. Default: its name in the data folder. */
  name: z
    .string()
    .max(80, 'expected at most 80 characters')
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'expected letters, digits, dots, - and _')
    .nullish(),
});
export type ModelServe = z.infer<typeof modelServeSchema>;

/** A model that the server serves, or is to serve. */
export const modelServingGetSchema = z.object({
  /** By which requests choose it. */
  name: z.string(),
  /** `NAME.TYPE` in the data folder; null: the settings name it. */
  model: z.string().nullable(),
  /** Null where this server cannot serve it. */
  pipeline_id: z.string().nullable(),
  tags: z.array(z.string()),
  /** Who has it served: the settings of the server, or an owner while it runs, which the store keeps. */
  from: z.enum(['settings', 'store']),
  state: servedModelSchema.shape.state,
  /** Why it cannot be loaded or served here; null unless that failed. */
  reason: z.string().nullable(),
  /** That requests may choose. */
  adapters: z.array(z.string()),
  /** Memory that it takes or would take; null: it is always loaded. */
  planned_bytes: z.number().nullable(),
  running: z.number().nullable(),
  waiting: z.number().nullable(),
  /** Since when an owner has it served; null for those of the settings. */
  created_at: timestampSchema.nullable(),
});
export type ModelServingGet = z.infer<typeof modelServingGetSchema>;

/** Reply to `GET /v2/admin/models/served`. */
export const modelServingListSchema = z.object({ data: z.array(modelServingGetSchema) });
export type ModelServingList = z.infer<typeof modelServingListSchema>;

/** Types of weights that a model can be stored as. */
const MODEL_TYPES = ['f32', 'f16', 'bf16', 'q8_0', 'q6_K', 'q5_K_M', 'q4_K_M', 'q4_0'] as const;

/** Body of `POST /v2/admin/models/pulls`. */
export const pullCreateSchema = z.strictObject({
  /** A name of the server's hub: `gpt-j-6b`, or `OWNER/NAME@REVISION`. */
  from: z.string().trim().min(1, 'expected at least one character').max(400, 'expected at most 400 characters'),
  /** Name in the data folder. Default: made from that of the source. */
  name: z.string().max(80, 'expected at most 80 characters').nullish(),
  /** Default: the most precise one that fits into the free memory. */
  type: z.enum(MODEL_TYPES).nullish(),
});
export type PullCreate = z.infer<typeof pullCreateSchema>;

/** A download of a model, with its conversion. */
export const pullGetSchema = z.object({
  id: z.string(),
  from: z.string(),
  name: z.string().nullable(),
  type: z.string().nullable(),
  state: z.enum(['running', 'stored', 'failed', 'cancelled']),
  phase: z.enum(['preparing', 'downloading', 'converting']),
  /** Of the phase. Bytes of a download are safe on the disk, and never become fewer. */
  done_bytes: z.number(),
  total_bytes: z.number(),
  /** Since the phase began; null before there is a rate. */
  bytes_per_second: z.number().nullable(),
  /** Of the phase, at that rate. */
  seconds_left: z.number().nullable(),
  source: modelSourceSchema.nullable(),
  /** The type that was chosen, why, and the size of the file that it becomes. */
  plan: z.object({ type: z.string(), reason: z.string(), file_bytes: z.number() }).nullable(),
  /** Why it pauses, while it does. */
  waiting: z.string().nullable(),
  warnings: z.array(z.string()),
  error: z.object({ code: z.string(), message: z.string() }).nullable(),
  /** `NAME.TYPE` of the stored model. */
  model: z.string().nullable(),
  started_at: timestampSchema,
  ended_at: timestampSchema.nullable(),
});
export type PullGet = z.infer<typeof pullGetSchema>;

/** Reply to `GET /v2/admin/models/pulls`. */
export const pullListSchema = z.object({ data: z.array(pullGetSchema) });
export type PullList = z.infer<typeof pullListSchema>;
