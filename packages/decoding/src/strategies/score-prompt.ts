import type { GenerateOutcome } from '../generate-outcome.ts';
import type { Strategy } from '../strategy.ts';
import type { Decoding } from './decoding.ts';
import { prefill } from './rows.ts';

/** Log-probabilities of the prompt's tokens; nothing is generated. Returns one empty sequence. */
export function* scorePrompt(decoding: Decoding): Strategy<GenerateOutcome> {
  const { promptLogprobs } = yield* prefill(decoding);
  return {
    sequences: [{ tokens: [], finishReason: 'length' }],
    ...(promptLogprobs === undefined ? {} : { promptLogprobs }),
  };
}
