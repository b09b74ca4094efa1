import { computedTokens } from '@gptj-cloud/decoding';
import type { GenerationEvent } from '@gptj-cloud/engine';
import type { GenerationCost } from '../metering/usage/admission.ts';

/**
 * Accumulates the cost of one request's prompts. A prompt that ends without `finished` costs what its last event
 * reported as computed: its prompt in full from its start on, and the step under way.
 */
export interface GenerationMeter {
  record(prompt: number, event: GenerationEvent): void;
  /** Null as long as no prompt has started. */
  cost(): GenerationCost | null;
}

interface PromptCost {
  readonly startedAt: number;
  generatedTokens: number;
  computedTokens: number;
  final: GenerationCost | null;
}

/** `now`: milliseconds, monotonic. */
export function createGenerationMeter(promptLengths: readonly number[], now: () => number): GenerationMeter {
  const started = new Map<number, PromptCost>();
  return {
    record(prompt, event) {
      let one = started.get(prompt);
      if (one === undefined) {
        one = { startedAt: now(), generatedTokens: 0, computedTokens: 0, final: null };
        started.set(prompt, one);
      }
      if (event.type === 'tokens') one.generatedTokens += event.tokens.length;
      if (event.type === 'computed') one.computedTokens = event.computedTokens;
      if (event.type === 'finished') one.final = event.usage;
    },
    cost() {
      if (started.size === 0) return null;
      const sum = { promptTokens: 0, generatedTokens: 0, computedTokens: 0, cachedTokens: 0, computeMs: 0 };
      for (const [prompt, one] of started) {
        const promptTokens = promptLengths[prompt] ?? 0;
        const cost = one.final ?? {
          promptTokens,
          generatedTokens: one.generatedTokens,
          computedTokens: computedTokens(one.computedTokens, promptTokens, one.generatedTokens),
          computeMs: now() - one.startedAt,
          cachedTokens: 0,
        };
        sum.promptTokens += cost.promptTokens;
        sum.generatedTokens += cost.generatedTokens;
        sum.computedTokens += cost.computedTokens;
        sum.cachedTokens += cost.cachedTokens ?? 0;
        sum.computeMs += cost.computeMs;
      }
      return sum;
    },
  };
}
