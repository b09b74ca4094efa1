import { z } from 'zod';
import { runGetSchema } from './runs.ts';

/**
 * The model's own prediction for one token, in the events of a stream and in results. Texts of tokens that are part of a
 * character are written `bytes:\xe2\x80`. A log-probability that is not finite is null.
 */
export const tokenLogprobSchema = z.object({
  token: z.int(),
  text: z.string(),
  logprob: z.number().nullable(),
  /** The most likely tokens, best first: id, log-probability and text. */
  top: z.array(z.tuple([z.int(), z.number().nullable(), z.string()])),
  /** With `processed_logprobs`: after all processors and warpers; null for a token that they forbid. */
  processed: z.number().nullable().optional(),
  /** The same for each entry of `top`. */
  top_processed: z.array(z.number().nullable()).optional(),
});
export type TokenLogprob = z.infer<typeof tokenLogprobSchema>;

/** A token that a step of a beam search considered, in results and in the events of a stream. */
export const beamCandidateSchema = z.object({
  /** The beam that it continues: its row in this step. */
  parent: z.int(),
  token: z.int(),
  text: z.string(),
  /** Accumulated log-probability of the beam and the token. */
  score: z.number().nullable(),
  /** It is a beam of the next step, whose rows are the kept candidates in their order. */
  kept: z.boolean(),
});
export type BeamCandidate = z.infer<typeof beamCandidateSchema>;

/**
 * Events of a run's stream, in this order: `run` when it is accepted, `token` while it is generated (with `output_beams` also
 * `beams`), `run` when it has
 * ended. A `run` event between tokens means that generation has restarted: discard the earlier tokens. `error` ends a
 * stream; the run itself continues, unless the message says otherwise. Events carry ids that count from 1 within a run.
 */
export const runEventSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('run'), run: runGetSchema }),
  z.object({
    type: z.literal('token'),
    /** Index of the returned sequence. */
    index: z.int(),
    /** Text that these tokens add: possibly empty, always whole characters. */
    text: z.string(),
    tokens: z.array(z.int()),
    /** One per token, when `logprobs` was requested. */
    logprobs: z.array(tokenLogprobSchema).optional(),
  }),
  /** What step `step` of a beam search considered, counted from 0. */
  z.object({ type: z.literal('beams'), step: z.int(), candidates: z.array(beamCandidateSchema) }),
  z.object({ type: z.literal('error'), code: z.string(), message: z.string() }),
]);
export type RunEvent = z.infer<typeof runEventSchema>;

/** The `data` of the server-sent event whose `event` is `event.type`. */
export function runEventData(event: RunEvent): unknown {
  switch (event.type) {
    case 'run':
      return event.run;
    case 'token':
      return {
        index: event.index,
        text: event.text,
        tokens: event.tokens,
        ...(event.logprobs === undefined ? {} : { logprobs: event.logprobs }),
      };
    case 'beams':
      return { step: event.step, candidates: event.candidates };
    case 'error':
      return { code: event.code, message: event.message };
    default:
      return event satisfies never;
  }
}

/** Parse an event from its name and `data`; null for unknown names, which a later server may add. Throws `ZodError`. */
export function parseRunEvent(type: string, data: unknown): RunEvent | null {
  if (type === 'run') return runEventSchema.parse({ type, run: data });
  if (type !== 'token' && type !== 'beams' && type !== 'error') return null;
  return runEventSchema.parse({ ...z.record(z.string(), z.unknown()).parse(data), type });
}
