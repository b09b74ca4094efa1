import type { GenerateOutcome } from '../generate-outcome.ts';
import type { Strategy } from '../strategy.ts';
import type { Decoding } from './decoding.ts';
import { prefill } from './rows.ts';

/** What the model thinks of the prompt's own tokens; nothing is generated. One empty sequence is returned. */
export function* scorePrompt(decoding: Decoding): Strategy<GenerateOutcome> {
  const { promptLogprobs } = yield* prefill(decoding);
  return {
    sequences: [{ tokens: [], finishReason: 'length' }],
    ...(promptLogprobs === undefined ? {} : { promptLogprobs }),
  };
}
