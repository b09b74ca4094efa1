import { type LanguageModel, ModelError } from '@gptj-cloud/model';
import { largestOf } from './admission-order.ts';
import type { Generation, Reservation } from './generation.ts';

/**
 * Check that a request alone fits the model, and leaves room beside it when it has a tenant. Throws `context_full`, `cache_full` and `too_many_sequences`.
 *
 * @param maxSequences sequences that generations may have open
 */
export function checkFits({ request, reservation }: Generation, model: LanguageModel, maxSequences: number): void {
  const { contextLength } = model.config;
  const { cells, sequences } = limitsOf(request.tenant ?? null, model, maxSequences);
  if (request.prompt.length === 0) throw new RangeError('generate: expected at least one prompt token, got none');
  const length = Math.max(request.prompt.length, request.config.maxLength);
  if (length > contextLength) {
    throw new ModelError(
      'context_full',
      `expected at most ${contextLength} tokens of prompt and output together, got ${length}`,
    );
  }
  if (reservation.cells > cells) {
    throw new ModelError(
      'cache_full',
      `this request needs ${reservation.cells} positions of cache, one request may use ${cells}: request fewer tokens, beams or sequences`,
    );
  }
  if (reservation.sequences > sequences) {
    throw new ModelError(
      'too_many_sequences',
      `this request needs ${reservation.sequences} sequences, one request may use ${sequences}: request fewer beams or sequences`,
    );
  }
}

/** The whole context fits, however small the cache is. */
function limitsOf(tenant: string | null, model: LanguageModel, maxSequences: number): Reservation {
  const { cacheCells } = model.limits;
  if (tenant === null) return { cells: cacheCells, sequences: maxSequences };
  const { cells, sequences } = largestOf({ cells: cacheCells, sequences: maxSequences });
  const oneContext = Math.min(cacheCells, model.config.contextLength + 1);
  return { cells: Math.max(Math.floor(cells), oneContext), sequences: Math.max(1, Math.floor(sequences)) };
}
