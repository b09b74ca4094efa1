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
});
export type TokenLogprob = z.infer<typeof tokenLogprobSchema>;

/**
 * Events of a run's stream, in this order: `run` when it is accepted, `token` while it is generated, `run` when it has
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
    case 'error':
      return { code: event.code, message: event.message };
    default:
      return event satisfies never;
  }
}

/** Parse an event from its name and `data`; null for unknown names, which a later server may add. Throws `ZodError`. */
export function parseRunEvent(type: string, data: unknown): RunEvent | null {
  if (type === 'run') return runEventSchema.parse({ type, run: data });
  if (type !== 'token' && type !== 'error') return null;
  return runEventSchema.parse({ ...z.record(z.string(), z.unknown()).parse(data), type });
}
