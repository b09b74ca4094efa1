import { z } from 'zod';

export const projectGetSchema = z.object({
  id: z.string(),
  name: z.string(),
  avatar_colour: z.string().nullish(),
  avatar_image_url: z.string().nullish(),
});
export type ProjectGet = z.infer<typeof projectGetSchema>;

/** Descriptions of uploaded parts of a graph. The built-in pipelines have none: the lists are empty, never absent. */
const graphPartSchema = z.record(z.string(), z.unknown());

export const pipelineGetSchema = z.object({
  id: z.string(),
  name: z.string(),
  type: z.literal('pipeline'),
  project: projectGetSchema,
  variables: z.array(graphPartSchema),
  functions: z.array(graphPartSchema),
  models: z.array(graphPartSchema),
  graph_nodes: z.array(graphPartSchema),
  outputs: z.array(z.union([z.string(), graphPartSchema])),
  deployed: z.boolean().optional(),
  tags: z.array(z.string()).optional(),
  description: z.string().optional(),
});
export type PipelineGet = z.infer<typeof pipelineGetSchema>;
