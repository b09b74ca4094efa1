import type { TokenId } from '@gptj-cloud/model';

/** Why a sequence ended: an EOS token, the length limit, a stop string or criterion, or `max_time`. */
export type FinishReason = 'eos' | 'length' | 'stop' | 'time';

/** A token and its log-probability (natural) under the model's unprocessed distribution. */
export interface TokenLogprob {
  readonly token: TokenId;
  readonly logprob: number;
  /** With `processed_logprobs`: the same after all processors and warpers; null where they forbid the token. */
  readonly processed?: number | null;
}

/** The model's prediction for one token of the output or of the prompt. */
export interface TokenReport extends TokenLogprob {
  /** The requested number of most likely tokens, best first. */
  readonly top: readonly TokenLogprob[];
}

/** One row of scores: the largest entries, best first, or all as base64 of little-endian float32. */
export type ScoreRow =
  | { readonly type: 'top'; readonly entries: readonly (readonly [token: TokenId, score: number])[] }
  | { readonly type: 'base64'; readonly data: string };

/** One returned sequence. */
export interface GeneratedSequence {
  /** Generated tokens only: the prompt is not repeated, a generated EOS is included, no padding. */
  readonly tokens: readonly TokenId[];
  readonly finishReason: FinishReason;
  /** Beam modes: sum of log-probabilities / length ** length_penalty. Absent elsewhere. */
  readonly score?: number;
  /** One per token, with `logprobs`. */
  readonly logprobs?: readonly TokenReport[];
  /** Beam modes: for each token the beam it continued (row of the step's `scores`); -1 for an EOS that only closes it. */
  readonly beamIndices?: readonly number[];
}

/** A token that a step of a beam search considered after one of its beams. */
export interface BeamCandidate {
  /** The beam that it continues: its row in this step, over all searches. */
  readonly parent: number;
  readonly token: TokenId;
  /** Accumulated: the score of the beam and the log-probability of the token. */
  readonly score: number;
  /** It is a beam of the next step, whose rows are the kept candidates in their order. */
  readonly kept: boolean;
}

/** The result of `generate`: `num_return_sequences` sequences in the order transformers returns them. */
export interface GenerateOutcome {
  readonly sequences: readonly GeneratedSequence[];
  /** One per prompt token after the first, with `prompt_logprobs`. */
  readonly promptLogprobs?: readonly TokenReport[];
  /** `output_scores`: per step, one processed row per running sequence or beam (null: that one had finished). */
  readonly scores?: readonly (readonly (ScoreRow | null)[])[];
  /** `output_logits`: the same before processing. */
  readonly logits?: readonly (readonly (ScoreRow | null)[])[];
  /** `output_beams`: per step, the kept candidates in the order of the next step's rows, then others, best first. */
  readonly beams?: readonly (readonly BeamCandidate[])[];
  /** The seed that reproduces this outcome, when tokens were sampled. */
  readonly seed?: number;
  /** Remarks on the result, such as a constraint that was not met. */
  readonly warnings?: readonly string[];
}
