import type { TokenId } from '@gptj-cloud/model';
import { allowedNextOf } from './allowed-next.ts';
import { DecodingError } from './decoding-error.ts';
import type { GenerateConfig } from './generate-config.ts';
import { applyLogitsProcessors, buildLogitsProcessors, type LogitsProcessorList } from './logits-processor-list.ts';
import type { NoiseSource, NoiseStream } from './noise.ts';
import { argmaxOrRefuse } from './numerics/argmax.ts';
import { sampleToken } from './numerics/sample-token.ts';
import { PARAMETERS } from './parameters/parameter-table.ts';
import { workBudget } from './work-budget.ts';

let scores = new Float32Array(0);

/** Chooses a draft token after `sequence`, by another model's logits. */
export type Guess = (logits: Float32Array, sequence: readonly TokenId[]) => TokenId | null;

export interface GuessOptions {
  readonly prompt: readonly TokenId[];
  readonly config: GenerateConfig;
  readonly noise: NoiseSource;
  readonly tokenBytes?: (token: TokenId) => Uint8Array;
}

/**
 * The guesses of one generation. They have processors and a budget of their own, so that whether a request is accepted does
 * not depend on drafts: guesses that cost too much end.
 */
export function guesser({ prompt, config, noise, tokenBytes }: GuessOptions): Guess {
  const budget = workBudget();
  const noiseAt = config.doSample ? positionedNoise(noise.stream(0)) : null;
  let processors: LogitsProcessorList | null = null;
  let hasEnded = false;
  return (logits, sequence) => {
    if (hasEnded) return null;
    try {
      budget.startEvaluation();
      processors ??= buildLogitsProcessors(
        config,
        prompt,
        allowedNextOf(config, prompt, tokenBytes, budget),
        PARAMETERS,
        budget,
      );
      if (scores.length !== logits.length) scores = new Float32Array(logits.length);
      scores.set(logits);
      applyLogitsProcessors(processors, [{ scores, sequence }]);
      return noiseAt === null ? argmaxOrRefuse(scores) : sampleToken(scores, noiseAt(sequence.length - prompt.length));
    } catch (error) {
      if (!(error instanceof DecodingError)) throw error;
      hasEnded = error.code !== 'no_possible_token';
      return null;
    }
  };
}

/** The noise of the n-th draw of a stream, in any order. */
function positionedNoise(stream: NoiseStream): (draw: number) => NoiseStream {
  if (stream.kind === 'keyed') {
    const at = indexed(() => stream.next());
    return (draw) => ({ kind: 'keyed', next: () => at(draw) });
  }
  const at = indexed(() => stream.next());
  return (draw) => ({ kind: 'uniform', next: () => at(draw) });
}

function indexed<Value>(next: () => Value): (index: number) => Value {
  const taken: Value[] = [];
  return (index) => {
    while (taken.length <= index) taken.push(next());
    return taken[index]!;
  };
}
