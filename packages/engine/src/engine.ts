import type { GenerateConfig, GenerateOutcome, TokenReport } from '@gptj-cloud/decoding';
import type { GptjConfig, TokenId } from '@gptj-cloud/model';
import type { EngineStats } from './engine-stats.ts';

/** What is running: shown by `gptj inspect`, the server's status and the metrics. */
export interface EngineInfo {
  /** `llama` or `reference`. */
  readonly kind: string;
  /** Name the model file gives itself, or its file name. */
  readonly modelName: string;
  /** Storage of the large weights as llama.cpp names it: `F32`, `Q8_0`, `Q4_K - Medium`, … */
  readonly quantisation: string;
  readonly config: GptjConfig;
  /** Positions the KV cache holds, over all sequences. */
  readonly cacheCells: number;
  /** Layers that a request may ask early-exit logits of (DoLa); null where the engine gives none. */
  readonly earlyExitLayers: number | null;
  readonly loadMs: number;
}

/** One generation: prompt tokens and validated parameters. Plain data; crosses process boundaries. */
export interface GenerationRequest {
  /** At least one token. */
  readonly prompt: readonly TokenId[];
  readonly config: GenerateConfig;
  /** Larger goes first among those that wait; equal ones in order of arrival. Default 0. */
  readonly priority?: number;
  /**
   * Milliseconds by which what is not the end may be told late, so that it travels together: telling takes time that
   * decoding of a small model needs. For whoever waits for the end alone. Default 0.
   */
  readonly maxEventDelayMs?: number;
}

/** What a generation cost. */
export interface GenerationUsage {
  readonly promptTokens: number;
  /** Over all returned sequences; with beams, the tokens of the returned ones. */
  readonly generatedTokens: number;
  /** Prompt tokens found in the cache instead of computed. */
  readonly cachedTokens: number;
  /** From the request's arrival in the engine to its first evaluation. */
  readonly queueMs: number;
  /** From the first evaluation to the end. */
  readonly computeMs: number;
}

export type GenerationEvent =
  /** The first evaluation of this request begins. */
  | { readonly type: 'started' }
  /** Tokens of sequence `index` that are final, each sent once, in order. Beam modes send them all at the end. */
  | {
      readonly type: 'tokens';
      readonly index: number;
      readonly tokens: readonly TokenId[];
      /** One per token, where `logprobs` was asked. */
      readonly logprobs?: readonly TokenReport[];
      /** Milliseconds from the request's arrival in the engine to these tokens. Default: when they are told. */
      readonly atMs?: number;
    }
  /** A beam search has taken a step that made so many tokens of its sequences, none of them final. */
  | { readonly type: 'searched'; readonly tokens: number }
  /** The last event. */
  | { readonly type: 'finished'; readonly outcome: GenerateOutcome; readonly usage: GenerationUsage };

export interface Engine {
  readonly info: EngineInfo;
  /**
   * Generate. The iterable is single-use; `break` or an aborted `signal` cancels the request and frees its cache.
   *
   * Throws `ModelError`: `aborted`; `context_full` when prompt and parameters cannot fit; `cache_full` when the
   * request alone needs more cache than there is; `generation_impossible` when the parameters forbid every token;
   * `engine_failed` when the engine process died (a retry may work).
   */
  generate(request: GenerationRequest, signal?: AbortSignal): AsyncIterable<GenerationEvent>;
  /** Figures for those who operate it. Throws `engine_failed` while there is no engine process, `closed`. */
  stats?(): Promise<EngineStats>;
  /** Cancel what runs, free the model. Idempotent. */
  close(): Promise<void>;
}
