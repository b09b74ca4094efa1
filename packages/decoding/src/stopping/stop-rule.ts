import type { TokenId } from '@gptj-cloud/model';
import { builtOnce } from '../built-once.ts';
import type { GenerateConfig } from '../generate-config.ts';
import type { FinishReason } from '../generate-outcome.ts';
import { type Prefix, sortSequences } from '../sorted-sequences.ts';
import type { Charge } from '../work-budget.ts';

/** Whether `token` after the first `length` tokens of `sequence` ends the output. */
export type EndsByToken = (sequence: readonly TokenId[], length: number, token: TokenId) => boolean;

/** Decides when sequences end. */
export interface StopRule {
  readonly isEos: (token: TokenId) => boolean;
  /** Why `sequence` (prompt and generated, at least one generated) ends here; null: it goes on. */
  readonly reasonToStop: (sequence: readonly TokenId[]) => FinishReason | null;
  /** The same for `sequence` extended by `token`, which spares a copy of it. */
  readonly reasonAfter: (sequence: readonly TokenId[], token: TokenId) => FinishReason | null;
  /** As `reasonToStop`, without looking for EOS. */
  readonly criterionMet: (sequence: readonly TokenId[]) => FinishReason | null;
  /** Read the clock. Call it once per step, so that all rows of a step see the same time. */
  readonly tick: () => void;
}

export interface StopRuleParts {
  /** Milliseconds; `max_time` counts from this call. */
  readonly clock: () => number;
  readonly endsInStopString: EndsByToken;
  /** Takes the steps of comparing `stopSequences`. */
  readonly charge: Charge;
}

/** The rule of one call. */
export function stopRule(config: GenerateConfig, { clock, endsInStopString, charge }: StopRuleParts): StopRule {
  const startedAt = clock();
  let timeIsUp = false;
  const eos = new Set(config.eosTokenIds);
  const isEos = (token: TokenId) => eos.has(token);
  const endsInStopSequence = stopSequenceRule(config.stopSequences, charge);

  const criterionAfter = (sequence: readonly TokenId[], length: number, token: TokenId): FinishReason | null => {
    if (endsInStopSequence(sequence, length, token) || endsInStopString(sequence, length, token)) return 'stop';
    if (length + 1 >= config.maxLength) return 'length';
    return timeIsUp ? 'time' : null;
  };
  const reasonAfter = (sequence: readonly TokenId[], length: number, token: TokenId) =>
    isEos(token) ? 'eos' : criterionAfter(sequence, length, token);

  return {
    isEos,
    tick: () => {
      if (config.maxTimeMs !== null) timeIsUp = clock() - startedAt > config.maxTimeMs;
    },
    criterionMet: (sequence) => criterionAfter(sequence, sequence.length - 1, sequence.at(-1)!),
    reasonToStop: (sequence) => reasonAfter(sequence, sequence.length - 1, sequence.at(-1)!),
    reasonAfter: (sequence, token) => reasonAfter(sequence, sequence.length, token),
  };
}

const sortEndings = builtOnce((stops: readonly (readonly TokenId[])[], charge) =>
  sortSequences(
    stops.map((stop) => stop.toReversed()),
    charge,
  ),
);

/** Whether a sequence ends with one of `stops`: found from the end backwards, whatever their number. */
function stopSequenceRule(stops: readonly (readonly TokenId[])[], charge: Charge): EndsByToken {
  if (stops.length === 0) return () => false;
  const endings = sortEndings(stops, charge);
  return (sequence, length, token) => {
    let prefix: Prefix | null = endings.follow(endings.root, token);
    let at = length;
    while (prefix !== null && !endings.isEnd(prefix)) {
      prefix = --at < 0 ? null : endings.follow(prefix, sequence[at]!);
    }
    charge(endings.followSteps * (length - at + 1));
    return prefix !== null;
  };
}
