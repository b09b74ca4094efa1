/**
 * What a generation that ended costs its caller. What was computed is charged, also when the caller's own parameters
 * made it fail and when the caller cancelled it or went away. Only what the server broke is free.
 */
import { ModelError, type ModelErrorCode } from '@gptj-cloud/model';
import { ApiError } from '@gptj-cloud/protocol';
import type { GenerationCost } from '../metering/usage/admission.ts';
import type { GenerationMeter } from './generation-meter.ts';

type Party = 'caller' | 'server';

/** Every way in which a generation can end. */
export type GenerationEnd =
  | { readonly type: 'finished' }
  /** It was stopped: by a caller that cancelled it, disconnected or used up its time, or by a server that shuts down. */
  | { readonly type: 'stopped'; readonly by: Party }
  | { readonly type: 'failed'; readonly error: unknown };

/** The cost to charge; null: none, because nothing was computed or the server is at fault. */
export function chargeOf(end: GenerationEnd, meter: GenerationMeter | null): GenerationCost | null {
  return partyAtFault(end) === 'server' ? null : (meter?.cost() ?? null);
}

function partyAtFault(end: GenerationEnd): Party {
  switch (end.type) {
    case 'finished':
      return 'caller';
    case 'stopped':
      return end.by;
    case 'failed':
      if (end.error instanceof ModelError) return MODEL_ERRORS[end.error.code];
      // Any other error is a bug of the server.
      return end.error instanceof ApiError && end.error.status < 500 ? 'caller' : 'server';
    default:
      return end satisfies never;
  }
}

const MODEL_ERRORS: Readonly<Record<ModelErrorCode, Party>> = {
  generation_impossible: 'caller',
  decoding_too_costly: 'caller',
  // The request is larger than the engine; it is refused before anything is computed.
  cache_full: 'caller',
  context_full: 'caller',
  too_many_sequences: 'caller',
  unsupported: 'caller',
  parameters_refused: 'caller',
  unknown_adapter: 'caller',
  out_of_memory: 'caller',
  generation_stalled: 'caller',
  generation_timed_out: 'caller',
  // Of a request with several prompts, some may have been computed and returned.
  queue_timed_out: 'caller',
  engine_failed: 'server',
  engine_lost: 'server',
  engine_interrupted: 'server',
  model_unavailable: 'server',
  engine_mismatch: 'server',
  // Of a generation that its caller aborted, the end is `stopped`.
  aborted: 'server',
  closed: 'server',
  batch_too_large: 'server',
  invalid_config: 'server',
  library_missing: 'server',
  library_unknown: 'server',
  model_file_invalid: 'server',
  snapshot_invalid: 'server',
  unknown_sequence: 'server',
};
