import { z } from 'zod';
import { nameSchema } from './names.ts';
import { timestampSchema } from './timestamp.ts';
import { emailSchema, usernameSchema } from './users.ts';

export const projectGetDetailedSchema = z.object({
  id: z.string(),
  name: z.string(),
  avatar_colour: z.string().nullish(),
  avatar_image_url: z.string().nullish(),
  created_at: timestampSchema,
  updated_at: timestampSchema,
  /** Role of the caller in this project. */
  role: z.enum(['owner', 'member']),
  n_functions: z.number(),
  n_pipelines: z.number(),
  n_models: z.number(),
  n_function_runs: z.number(),
  n_pipeline_runs: z.number(),
  n_data: z.number(),
});
export type ProjectGetDetailed = z.infer<typeof projectGetDetailedSchema>;

export const projectCreateSchema = z.strictObject({ name: nameSchema });
export const projectPatchSchema = z.strictObject({ name: nameSchema });

export const memberGetSchema = z.object({
  user_id: z.string(),
  username: z.string(),
  role: z.enum(['owner', 'member']),
  added_at: timestampSchema,
});
export type MemberGet = z.infer<typeof memberGetSchema>;

export const memberCreateSchema = z.strictObject({ username: usernameSchema });

export const invitationCreateSchema = z.strictObject({ email: emailSchema });
export const invitationGetSchema = z.object({
  id: z.string(),
  project: z.object({ id: z.string(), name: z.string() }),
  /** The invited address; null: the invitation names a username. */
  email: z.string().nullable(),
  username: z.string().nullish(),
  invited_by: z.string(),
  created_at: timestampSchema,
  expires_at: timestampSchema,
});
export type InvitationGet = z.infer<typeof invitationGetSchema>;
