import type { BeamCandidate, GenerateConfig, GenerateOutcome, TokenReport } from '@gptj-cloud/decoding';
import type { GptjConfig, TokenId } from '@gptj-cloud/model';
import type { AdapterFile } from './adapters/adapter-file.ts';
import type { EngineStats } from './engine-stats.ts';
import type { Backend } from './llama/find-library.ts';
import type { RemoteLimits } from './remote/remote-parameters.ts';

/** Description of the open model, for the server's status, metrics and `gptj generate --json`. */
export interface EngineInfo {
  /** `kernels`, `llama` or `reference`; `openai`: a server of completions. */
  readonly kind: string;
  /** Name in the model file's metadata, else its file name. */
  readonly modelName: string;
  /** Name of the draft model; null where none drafts. */
  readonly draftModelName: string | null;
  /** Storage of the large weights: `F32`, `Q8_0`, …; as llama.cpp names it where it computes: `Q4_K - Medium`. */
  readonly quantisation: string;
  readonly config: GptjConfig;
  /** Number of positions that the KV cache holds, over all sequences. */
  readonly cacheCells: number;
  /** What computes: `cpu` also where a library with a GPU backend finds no GPU, or is given no layer; `remote`: another server. */
  readonly backend: Backend | 'remote';
  /** Names of the adapters that requests may choose. */
  readonly adapters: readonly string[];
  /** Number of layers with early-exit logits (DoLa); null where the engine has none. */
  readonly earlyExitLayers: number | null;
  readonly loadMs: number;
  /** What a server takes that computes everything. Absent: every parameter of `generate` is honoured. */
  readonly remote?: RemoteLimits;
}

/** One generation: prompt tokens and validated parameters. Plain data; crosses process boundaries. */
export interface GenerationRequest {
  /** At least one token. */
  readonly prompt: readonly TokenId[];
  readonly config: GenerateConfig;
  /** Waiting generations of higher priority are admitted first, equal ones in order of arrival. Default 0. */
  readonly priority?: number;
  /**
   * Milliseconds by which events other than the last may be delayed, so that one message carries many: messages between
   * processes take processor time that decoding of a small model needs. For clients that do not stream. Default 0.
   */
  readonly maxEventDelayMs?: number;
  /**
   * Whose generation it is: generations of different tenants share cache and time evenly, by their priorities, however
   * many each has. Default: one tenant for all that name none.
   */
  readonly tenant?: string;
  /** Longest time from its arrival in the engine to its first evaluation. Default: no limit. */
  readonly maxQueueMs?: number;
  /** Longest time from its first evaluation to its end. Default: no limit. */
  readonly maxComputeMs?: number;
  /**
   * Generate it while the engine's process generates nothing else: when the process dies, the cause is known. An engine
   * without a process of its own ignores it. Default false.
   */
  readonly alone?: boolean;
  /**
   * Opaque names for the beginnings of the prompt, the first for `PREFIX_BLOCK_TOKENS` tokens, the second for twice as many, …:
   * the statistics name those that the prefix cache has. Default: none.
   */
  readonly prefixLabels?: readonly string[];
  /** The request that it is part of, as headers that name it to another machine. Default: none. */
  readonly origin?: Readonly<Record<string, string>>;
}

/** Tokens and time of a generation. */
export interface GenerationUsage {
  readonly promptTokens: number;
  /** Over all returned sequences; discarded beams are not counted. */
  readonly generatedTokens: number;
  /** What the generation cost: see `computedTokens` of `@gptj-cloud/decoding`. */
  readonly computedTokens: number;
  /** Prompt tokens that came from the prefix cache. */
  readonly cachedTokens: number;
  /** From the request's arrival in the engine to its first evaluation. */
  readonly queueMs: number;
  /** From the first evaluation to the end. */
  readonly computeMs: number;
}

export type GenerationEvent =
  /** The first evaluation of this request begins. */
  | { readonly type: 'started' }
  /** Final tokens of sequence `index`, each reported once, in order. Beam modes report them all at the end. */
  | {
      readonly type: 'tokens';
      readonly index: number;
      readonly tokens: readonly TokenId[];
      /** One per token, when `logprobs` was requested. */
      readonly logprobs?: readonly TokenReport[];
      /** Milliseconds from the request's arrival in the engine to these tokens. Default: when the event arrives. */
      readonly atMs?: number;
    }
  /** What step `step` of a beam search considered, with `output_beams`: every step once, in order. */
  | { readonly type: 'searched'; readonly step: number; readonly candidates: readonly BeamCandidate[] }
  /**
   * Computed tokens so far, in all. Reported whenever they are more than the prompt's and those of the `tokens` events:
   * a generation that ends without `finished` is metered by the last figure.
   */
  | { readonly type: 'computed'; readonly computedTokens: number }
  /**
   * One of its steps has kept the engine busy for so long that the engine may be ended for it. Another event follows when
   * the step returns after all. Only from an engine in a process of its own.
   */
  | { readonly type: 'stalling' }
  /** The last event of every successful generation. */
  | { readonly type: 'finished'; readonly outcome: GenerateOutcome; readonly usage: GenerationUsage };

export interface Engine {
  /** Another object when its adapters have changed. */
  readonly info: EngineInfo;
  /**
   * Generate. The iterable is single-use; `break` or an aborted `signal` cancels the request and frees its cache cells.
   *
   * Throws `ModelError`: `aborted`; `context_full` when prompt and output exceed the context; `cache_full` when the
   * request alone needs more cache than there is; `generation_impossible` when the parameters forbid every token;
   * `parameters_refused` when the engine computes elsewhere and cannot honour them; `decoding_too_costly` when they need more work than one generation may take; `engine_failed` when the engine process
   * died (a retry may work), `engine_lost` when it did and ran others as well; `engine_interrupted` when it was ended because
   * of another generation (a retry will work); `queue_timed_out` and `generation_timed_out` after the request's limits; `generation_stalled` when it was ended because of this one (none will).
   */
  generate(request: GenerationRequest, signal?: AbortSignal): AsyncIterable<GenerationEvent>;
  /**
   * Counts and gauges for metrics and readiness. Throws `engine_failed` while there is no engine process or when it does
   * not answer in time, `closed`.
   */
  stats?(): Promise<EngineStats>;
  /**
   * Let requests from now on choose these adapters alone, as far as they fit the model and can be loaded; the reasons why others
   * are left out are warnings. Generations go on with those that they have. Absent where the adapters are fixed.
   */
  setAdapters?(files: readonly AdapterFile[]): Promise<void>;
  /** Cancel every generation and free the model. Every call returns the same promise. */
  close(): Promise<void>;
}
