import { z } from 'zod';
import { nameSchema } from './names.ts';
import { paginatedSchema } from './paginated.ts';
import { timestampSchema } from './timestamp.ts';

const MAX_PARAMETERS = 200;
const MAX_PARAMETERS_LENGTH = 8000;
const MAX_PROMPT_LENGTH = 12_000;

/** Parameters of a run as the client sends them. They are validated with the run, against its model and plan. */
export const presetParametersSchema = z
  .record(z.string().min(1).max(100), z.unknown())
  .refine(
    (parameters) => Object.keys(parameters).length <= MAX_PARAMETERS,
    `expected at most ${MAX_PARAMETERS} parameters`,
  )
  .refine(
    (parameters) => JSON.stringify(parameters).length <= MAX_PARAMETERS_LENGTH,
    `expected at most ${MAX_PARAMETERS_LENGTH} characters of JSON`,
  );

const promptSchema = z.string().max(MAX_PROMPT_LENGTH, `expected at most ${MAX_PROMPT_LENGTH} characters`);

/** Body of `POST /v2/presets`. */
export const presetCreateSchema = z.strictObject({
  name: nameSchema,
  parameters: presetParametersSchema,
  prompt: promptSchema.nullish(),
});
export type PresetCreate = z.infer<typeof presetCreateSchema>;

/** Body of `PATCH /v2/presets/<id>`. `prompt: null` removes the prompt. */
export const presetPatchSchema = z.strictObject({
  name: nameSchema.optional(),
  parameters: presetParametersSchema.optional(),
  prompt: promptSchema.nullish(),
});
export type PresetPatch = z.infer<typeof presetPatchSchema>;

/** Parameters of a run, and perhaps a prompt, under a name. */
export const presetGetSchema = z.object({
  id: z.string(),
  name: z.string(),
  parameters: z.record(z.string(), z.unknown()),
  prompt: z.string().nullable(),
  created_at: timestampSchema,
  updated_at: timestampSchema,
});
export type PresetGet = z.infer<typeof presetGetSchema>;
export const presetPageSchema = paginatedSchema(presetGetSchema);
