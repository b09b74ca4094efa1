import type { PickleValue } from '@gptj-cloud/pickle';
import type { Pipeline, PreparedRun } from '../generation/pipelines/pipeline.ts';
import { pickleInput } from '../runs/input-pickle.ts';

/** A run of a pipeline, prepared from plain values. */
export async function prepareRun(pipeline: Pipeline, input: PickleValue): Promise<PreparedRun> {
  return await pipeline.prepare(pickleInput(input), 'project_00000000000000000000000000000001');
}
