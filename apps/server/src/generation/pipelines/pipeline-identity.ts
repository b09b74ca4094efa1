import { createHash } from 'node:crypto';
import { GPTJ_PIPELINE_ID } from '@gptj-cloud/protocol';
import type { Pipeline } from './pipeline.ts';

/** How a pipeline is found, and the model behind it. */
export type PipelineIdentity = Pick<Pipeline, 'id' | 'name' | 'description' | 'tags' | 'model'>;

/** The pipeline of a model: the GPT-J pipeline of 2022 for the first, one derived from the name for every other. */
export function pipelineOf(model: string, isFirst: boolean): PipelineIdentity {
  if (isFirst) {
    return {
      model,
      id: GPTJ_PIPELINE_ID,
      name: 'GPT-J 6B',
      description: 'Text generation with GPT-J: a prompt and parameters of generate in, texts out',
      tags: ['gpt-j:latest', 'gpt-j:v1.0-fp16'],
    };
  }
  // The same on every server and after every start: runs that wait in the store name it.
  const digits = createHash('sha256').update(`model ${model}`).digest('hex').slice(0, 32);
  const tag = tagName(model);
  return {
    model,
    id: `pipeline_${digits}`,
    name: model,
    description: `Text generation with ${model}: a prompt and parameters of generate in, texts out`,
    tags: tag === null ? [] : [`${tag}:latest`],
  };
}

/** The name of a model as tags may have it; null: it has too few letters and digits. `gpt-j` belongs to the first model. */
function tagName(model: string): string | null {
  const name = model
    .toLowerCase()
    .replace(/[^a-z0-9\-._/]/g, '-')
    .slice(0, 100)
    .replace(/^[-._/]+/, '');
  const end = /[a-z0-9][-._/]*$/.exec(name)?.index ?? -1;
  const trimmed = name.slice(0, end + 1);
  return trimmed.length < 2 || trimmed === 'gpt-j' ? null : trimmed;
}
