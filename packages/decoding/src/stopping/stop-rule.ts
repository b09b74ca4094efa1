import type { TokenId } from '@gptj-cloud/model';
import type { GenerateConfig } from '../generate-config.ts';
import type { FinishReason } from '../generate-outcome.ts';

/** Decides when sequences end. */
export interface StopRule {
  readonly isEos: (token: TokenId) => boolean;
  /** Why `sequence` (prompt and generated, at least one generated) ends here; null: it goes on. */
  readonly reasonToStop: (sequence: readonly TokenId[]) => FinishReason | null;
  /** The same, without looking for EOS. */
  readonly criterionMet: (sequence: readonly TokenId[]) => FinishReason | null;
  /** Read the clock. Call it once per step, so that all rows of a step see the same time. */
  readonly tick: () => void;
}

/** The rule of one call. `clock` gives milliseconds; `max_time` counts from this call. */
export function stopRule(
  config: GenerateConfig,
  clock: () => number,
  endsInStopString: (sequence: readonly TokenId[]) => boolean,
): StopRule {
  const startedAt = clock();
  let timeIsUp = false;
  const eos = new Set(config.eosTokenIds);
  const isEos = (token: TokenId) => eos.has(token);
  return {
    isEos,
    tick: () => {
      if (config.maxTimeMs !== null) timeIsUp = clock() - startedAt > config.maxTimeMs;
    },
    criterionMet,
    reasonToStop: (sequence) => (isEos(sequence.at(-1)!) ? 'eos' : criterionMet(sequence)),
  };
  function criterionMet(sequence: readonly TokenId[]): FinishReason | null {
    if (config.stopSequences.some((stop) => endsWith(sequence, stop)) || endsInStopString(sequence)) return 'stop';
    if (sequence.length >= config.maxLength) return 'length';
    return timeIsUp ? 'time' : null;
  }
}

function endsWith(sequence: readonly TokenId[], ending: readonly TokenId[]): boolean {
  const offset = sequence.length - ending.length;
  return offset >= 0 && ending.every((token, at) => sequence[offset + at] === token);
}
