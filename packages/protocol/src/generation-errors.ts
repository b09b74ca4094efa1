import type { ErrorEntry } from './error-entry.ts';

/** Errors of models and of generations that were admitted. */
export const GENERATION_ERRORS = {
  model_unknown: {
    status: 404,
    message: 'no model {model} here',
    remedy: 'use one of: {known}',
  },
  generation_too_large: {
    status: 400,
    message: '{reason}',
    remedy: 'request fewer tokens, sequences or beams, or shorten the prompt',
  },
  decoding_too_costly: {
    status: 400,
    message: '{reason}',
    remedy: 'docs/generate.md lists the limits of the decoder',
  },
  generation_timed_out: {
    status: 400,
    message: '{reason}',
    remedy: 'request fewer tokens, sequences, beams or prompts, or change to a plan with more time',
  },
  model_unavailable: {
    status: 503,
    message: '{reason}',
    remedy:
      'wait the seconds in the Retry-After header and send the request again, or use another model; the server log has the cause',
  },
  queue_timed_out: {
    status: 503,
    message: 'the request waited too long for the model: {reason}',
    remedy: 'wait the seconds in the Retry-After header and send the request again',
  },
  generation_stalled: {
    status: 400,
    message: '{reason}',
    remedy:
      'simplify the parameters of generate, above all patterns, or ask for fewer beams; do not repeat the request',
  },
  engine_failed: {
    status: 503,
    message: 'the model stopped during the generation: {reason}',
    remedy: 'wait the seconds in the Retry-After header and send the request again',
  },
} as const satisfies Readonly<Record<string, ErrorEntry>>;
