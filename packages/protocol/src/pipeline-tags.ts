import { z } from 'zod';
import { paginatedSchema } from './paginated.ts';

/** `name:tag`, as the clients check it. */
export const pipelineTagNameSchema = z
  .string()
  .max(256)
  .regex(
    /^[a-z0-9][a-z0-9\-._/]*[a-z0-9]:[0-9A-Za-z_][0-9A-Za-z\-_.]{0,127}$/,
    'expected name:tag, the name of 2 or more characters a-z, 0-9, -, ., _ and /, with a letter or digit at both ends, the tag of 1 to 128 characters A-Z, a-z, 0-9, _, - and ., not beginning with - or .',
  );

/** Body of `POST /v2/pipeline-tags`. `pipeline_id` may be another tag. */
export const pipelineTagCreateSchema = z.object({ name: pipelineTagNameSchema, pipeline_id: z.string() });
export type PipelineTagCreate = z.infer<typeof pipelineTagCreateSchema>;

/** Body of `PATCH /v2/pipeline-tags/<id>`. */
export const pipelineTagPatchSchema = z.object({ pipeline_id: z.string() });

export const pipelineTagGetSchema = z.object({
  id: z.string(),
  name: z.string(),
  project_id: z.string(),
  pipeline_id: z.string(),
});
export type PipelineTagGet = z.infer<typeof pipelineTagGetSchema>;

export const pipelineTagPageSchema = paginatedSchema(pipelineTagGetSchema);

/** An environment of Pipeline Cloud: the Python packages available to uploaded code. This server has one, read-only. */
export const environmentGetSchema = z.object({
  id: z.string(),
  name: z.string(),
  python_requirements: z.array(z.string()),
  locked: z.boolean(),
});
export type EnvironmentGet = z.infer<typeof environmentGetSchema>;
