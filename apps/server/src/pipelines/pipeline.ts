import type { PickleValue } from '@gptj-cloud/pickle';
import type { PipelineGet } from '@gptj-cloud/protocol';

/** Something that runs can be made of. */
export interface Pipeline {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  /** Other names a run may use, `name:tag`. */
  readonly tags: readonly string[];
  /** Check the input of a run. Throws `ApiError` (`invalid_input`, `invalid_parameter`); nothing has run then. */
  prepare(input: PickleValue): PreparedRun;
}

/** A run whose input is sound. May be executed more than once: a retry starts from the beginning. */
export interface PreparedRun {
  /** Throws `ModelError`. */
  execute(signal: AbortSignal): Promise<PipelineOutcome>;
}

export interface PipelineOutcome {
  /** One entry per output variable of the graph. */
  readonly outputs: PickleValue[];
  readonly computeTimeMs: number;
}

/** How the API shows a pipeline. The built-in ones have no graph of uploaded parts. */
export function toPipelineGet(pipeline: Pick<Pipeline, 'id' | 'name' | 'description' | 'tags'>): PipelineGet {
  return {
    id: pipeline.id,
    name: pipeline.name,
    type: 'pipeline',
    project: {
      id: 'project_00000000000000000000000000000000',
      name: 'gptj-cloud',
      avatar_colour: '#5b5bd6',
      avatar_image_url: null,
    },
    variables: [],
    functions: [],
    models: [],
    graph_nodes: [],
    outputs: [],
    deployed: true,
    tags: [...pipeline.tags],
    description: pipeline.description,
  };
}
