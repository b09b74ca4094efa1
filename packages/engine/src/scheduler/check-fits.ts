import { type LanguageModel, ModelError } from '@gptj-cloud/model';
import type { Generation } from './generation.ts';

/**
 * Check that a request alone fits the model. Throws `context_full`, `cache_full` and `too_many_sequences`.
 *
 * @param maxSequences sequences that generations may have open
 */
export function checkFits({ request, reservation }: Generation, model: LanguageModel, maxSequences: number): void {
  const { contextLength } = model.config;
  const { cacheCells } = model.limits;
  if (request.prompt.length === 0) throw new RangeError('generate: expected at least one prompt token, got none');
  const length = Math.max(request.prompt.length, request.config.maxLength);
  if (length > contextLength) {
    throw new ModelError(
      'context_full',
      `expected at most ${contextLength} tokens of prompt and output together, got ${length}`,
    );
  }
  if (reservation.cells > cacheCells) {
    throw new ModelError(
      'cache_full',
      `this request needs ${reservation.cells} positions of cache, the engine has ${cacheCells}: request fewer tokens, beams or sequences`,
    );
  }
  if (reservation.sequences > maxSequences) {
    throw new ModelError(
      'too_many_sequences',
      `this request needs ${reservation.sequences} sequences, the engine has ${maxSequences}: request fewer beams or sequences`,
    );
  }
}
