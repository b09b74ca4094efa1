import type { GenerationEvent } from '@gptj-cloud/engine';
import type { GenerationCost } from '../metering/usage/admission.ts';

/**
 * Accumulates the cost of one request's prompts. A cancelled prompt costs the tokens that were streamed, or those that a
 * beam search had computed.
 */
export interface GenerationMeter {
  record(prompt: number, event: GenerationEvent): void;
  /** Null as long as no prompt has started. */
  cost(): GenerationCost | null;
}

interface PromptCost {
  readonly startedAt: number;
  generatedTokens: number;
  searchedTokens: number;
  final: GenerationCost | null;
}

/** `now`: milliseconds, monotonic. */
export function createGenerationMeter(promptLengths: readonly number[], now: () => number): GenerationMeter {
  const started = new Map<number, PromptCost>();
  return {
    record(prompt, event) {
      let one = started.get(prompt);
      if (one === undefined) {
        one = { startedAt: now(), generatedTokens: 0, searchedTokens: 0, final: null };
        started.set(prompt, one);
      }
      if (event.type === 'tokens') one.generatedTokens += event.tokens.length;
      if (event.type === 'searched') one.searchedTokens += event.tokens;
      if (event.type === 'finished') one.final = event.usage;
    },
    cost() {
      if (started.size === 0) return null;
      const sum = { promptTokens: 0, generatedTokens: 0, computeMs: 0, cachedTokens: 0 };
      for (const [prompt, { startedAt, generatedTokens, searchedTokens, final }] of started) {
        const cost = final ?? {
          promptTokens: promptLengths[prompt] ?? 0,
          generatedTokens: Math.max(generatedTokens, searchedTokens),
          computeMs: now() - startedAt,
          cachedTokens: 0,
        };
        sum.promptTokens += cost.promptTokens;
        sum.generatedTokens += cost.generatedTokens;
        sum.computeMs += cost.computeMs;
        sum.cachedTokens += cost.cachedTokens ?? 0;
      }
      return sum;
    },
  };
}
