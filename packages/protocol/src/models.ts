/** The models in the data folder of a server, and their downloads: for its owners. */
import { z } from 'zod';
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
  /** Whether the settings of the server name it. */
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
