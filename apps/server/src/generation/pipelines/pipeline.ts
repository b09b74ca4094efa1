import type { DecodingMode, FinishReason } from '@gptj-cloud/decoding';
import type { GenerationEvent, GenerationRequest, RequestNeed } from '@gptj-cloud/engine';
import type { TokenId } from '@gptj-cloud/model';
import type { JsonValue } from '@gptj-cloud/pickle';
import type { BeamCandidate, PipelineGet, RunInputGet, TokenLogprob } from '@gptj-cloud/protocol';
import { DEFAULT_PROJECT_ID } from '../../identity/users/first-user.ts';

/** A kind of run: checks its input and executes it. */
export interface Pipeline {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  /** Name of the model that it runs. */
  readonly model: string;
  /** Built-in tags, `name:tag`, accepted in place of the id. */
  readonly tags: readonly string[];
  /**
   * Check the input of a run, a pickle, before execution. `owner`: the project of the run. Throws `ApiError`
   * (`invalid_pickle`, `invalid_input`, `invalid_parameter`, and those of a `JobRunner`).
   */
  prepare(input: Uint8Array, owner: string): Promise<PreparedRun>;
  /** The input of a stored run as JSON. Throws what `prepare` throws for input that has no such form. */
  describeInput(input: Uint8Array, owner: string): Promise<RunInputGet>;
}

/** Tokens of one returned sequence, in order, with the text that they add. */
export interface TokenChunk {
  readonly index: number;
  readonly text: string;
  readonly tokens: readonly TokenId[];
  /** One per token, with `logprobs`. */
  readonly logprobs?: readonly TokenLogprob[];
}

/** What a step of a beam search considered. */
export interface SearchedStep {
  readonly step: number;
  readonly candidates: readonly BeamCandidate[];
}

/** How the engine is to schedule a run. */
type Scheduling = Pick<
  GenerationRequest,
  'tenant' | 'priority' | 'alone' | 'maxQueueMs' | 'maxComputeMs' | 'maxEventDelayMs'
>;

export interface ExecuteOptions extends Scheduling {
  readonly signal: AbortSignal;
  /** Called with tokens as they become final. */
  readonly onTokens?: (chunk: TokenChunk) => void;
  /** Called with the steps of a beam search, with `output_beams`. */
  readonly onSearched?: (step: SearchedStep) => void;
  /** Called with every event of the engine, for metering: also with tokens that are not final. */
  readonly onEvent?: (event: GenerationEvent) => void;
}

/** A run whose input is valid. May be executed more than once: a retry starts from the beginning. */
export interface PreparedRun {
  readonly promptTokens: number;
  /** What the engine computes. */
  readonly request: Pick<GenerationRequest, 'prompt' | 'config'>;
  /** What its engine must have beside what every engine has; null: nothing. */
  readonly need: RequestNeed | null;
  /** The largest number of computed tokens that it can have. */
  readonly maxComputedTokens: number;
  /** Maximum length of a sequence, prompt included. */
  readonly contextTokens: number;
  /** The prompt as far as lists of runs show it, or more. */
  readonly promptHead: string;
  /** Over all returned sequences. */
  readonly maxGeneratedTokens: number;
  readonly mode: DecodingMode;
  /** Sentences about the parameters, which the outcome repeats. */
  readonly warnings: readonly string[];
  /** Throws `ModelError`. */
  execute(options: ExecuteOptions): Promise<PipelineOutcome>;
}

export interface PipelineUsage {
  readonly promptTokens: number;
  readonly generatedTokens: number;
  readonly computedTokens: number;
  readonly cachedTokens: number;
  readonly computeMs: number;
}

export interface PipelineOutcome {
  /** One entry per output variable of the graph. */
  readonly outputs: JsonValue[];
  /** The generated text of the first sequence, as far as lists of runs show it, or more. */
  readonly outputHead: string;
  readonly usage: PipelineUsage;
  /** One for each returned sequence. */
  readonly finishReasons: readonly FinishReason[];
  /** The seed that reproduces this outcome; null where nothing was sampled. */
  readonly seed: number | null;
  /** Sentences for the caller: parameters without effect, notes on the result. */
  readonly warnings: readonly string[];
}

/** The same run; its outcome has `warnings` before its own. */
export function withWarnings(prepared: PreparedRun, warnings: readonly string[]): PreparedRun {
  if (warnings.length === 0) return prepared;
  return {
    ...prepared,
    warnings: [...warnings, ...prepared.warnings],
    async execute(options) {
      const outcome = await prepared.execute(options);
      return { ...outcome, warnings: [...warnings, ...outcome.warnings] };
    },
  };
}

/** How the API shows a pipeline. The built-in ones have no graph of uploaded parts. */
export function toPipelineGet(pipeline: Pick<Pipeline, 'id' | 'name' | 'description' | 'tags'>): PipelineGet {
  return {
    id: pipeline.id,
    name: pipeline.name,
    type: 'pipeline',
    project: {
      id: DEFAULT_PROJECT_ID,
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
