import type { TokenId } from '@gptj-cloud/model';

/** Why a sequence ended: an EOS token, the length limit, a stop string or criterion, or `max_time`. */
export type FinishReason = 'eos' | 'length' | 'stop' | 'time';

/** One returned sequence. */
export interface GeneratedSequence {
  /** Generated tokens only: the prompt is not repeated, a generated EOS is included, no padding. */
  readonly tokens: readonly TokenId[];
  readonly finishReason: FinishReason;
  /** Beam modes: sum of log-probabilities / length ** length_penalty. Absent elsewhere. */
  readonly score?: number;
}

/** What `generate` gives: `num_return_sequences` sequences in the order transformers returns them. */
export interface GenerateOutcome {
  readonly sequences: readonly GeneratedSequence[];
}
