import { z } from 'zod';
import { timestampSchema } from './timestamp.ts';

/** An API token as its owner sees it in a list. `value` is masked but for its first characters. */
export const tokenGetSchema = z.object({
  id: z.string(),
  value: z.string(),
  name: z.string(),
  created_at: timestampSchema,
  updated_at: timestampSchema,
  expires_at: timestampSchema.nullish(),
  last_used: timestampSchema.nullish(),
  is_active: z.boolean(),
  is_enabled: z.boolean(),
  user_id: z.string().nullish(),
});
export type TokenGet = z.infer<typeof tokenGetSchema>;

/** The account behind a token. */
export const userGetDetailedSchema = z.object({
  id: z.string(),
  email: z.string(),
  username: z.string(),
  firstname: z.string().nullish(),
  lastname: z.string().nullish(),
  company: z.string().nullish(),
  job_title: z.string().nullish(),
  avatar_colour: z.string().nullish(),
  avatar_image_url: z.string().nullish(),
  oauth_provider: z.string().nullish(),
  verified: z.boolean(),
  subscribed: z.boolean(),
  onboarded: z.boolean(),
  preferences: z.record(z.string(), z.unknown()).nullish(),
  tokens: z.array(tokenGetSchema),
});
export type UserGetDetailed = z.infer<typeof userGetDetailedSchema>;
