import { z } from 'zod';
import { timestampSchema } from './timestamp.ts';

/** A stored file. `data` is the lower-case hex of its bytes, present when the request has `return_data`. */
export const fileGetSchema = z.object({
  id: z.string(),
  name: z.string(),
  path: z.string(),
  data: z.string().nullish(),
  /** Number of hex characters: twice the bytes. */
  file_size: z.number(),
  file_format: z.enum(['hex', 'binary']).optional(),
});
export type FileGet = z.infer<typeof fileGetSchema>;

/**
 * JSON body of `POST /v2/data`: the complete FileGet that `POST /v2/files/` returned. Only the id is used;
 * the other fields are ignored.
 */
export const dataCreateSchema = z.object({ id: z.string() });
export type DataCreate = z.infer<typeof dataCreateSchema>;

/** Input data of a run: a file with a date. */
export const dataGetSchema = z.object({
  id: z.string(),
  hex_file: fileGetSchema,
  created_at: timestampSchema,
  modified_at: timestampSchema.nullish(),
  name: z.string().nullish(),
  size: z.number().nullish(),
});
export type DataGet = z.infer<typeof dataGetSchema>;
