import type { TokenId } from '@gptj-cloud/model';
import { DecodingError } from '../decoding-error.ts';
import type { GenerateConfig } from '../generate-config.ts';
import type { WorkBudget } from '../work-budget.ts';
import { type EndsByToken, type StopRule, stopRule } from './stop-rule.ts';
import { stopStringRule } from './stop-strings.ts';

export interface StopDependencies {
  /** Milliseconds from any fixed start, for `max_time`. */
  readonly clock: () => number;
  /** Bytes of a token; needed for stop strings. */
  readonly tokenBytes?: (token: TokenId) => Uint8Array;
  readonly budget: WorkBudget;
}

/** When the sequences of a request end. `max_time` counts from this call. Throws `missing_dependency`. */
export function stopRuleOf(
  { prompt, config }: { readonly prompt: readonly TokenId[]; readonly config: GenerateConfig },
  { clock, tokenBytes, budget }: StopDependencies,
): StopRule {
  return stopRule(config, {
    clock,
    endsInStopString: stopStringsOf(config, prompt, tokenBytes, budget),
    charge: (steps) => budget.charge('stopping_criteria', steps),
  });
}

function stopStringsOf(
  { stopStrings, stopInPrompt }: GenerateConfig,
  prompt: readonly TokenId[],
  tokenBytes: StopDependencies['tokenBytes'],
  budget: WorkBudget,
): EndsByToken {
  if (stopStrings.length === 0) return () => false;
  if (tokenBytes === undefined) {
    throw new DecodingError('missing_dependency', 'stop_strings: text needs the bytes of tokens');
  }
  const start = stopInPrompt ? 0 : prompt.length;
  return stopStringRule(stopStrings, tokenBytes, {
    start,
    charge: (steps) => budget.charge('stop_strings', steps),
    hold: (bytes) => budget.hold('stop_strings', bytes),
  });
}
