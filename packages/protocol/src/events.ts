import { z } from 'zod';
import { runGetSchema } from './runs.ts';

/**
 * Events of a run's stream, in this order: `run` when it is accepted, `token` while it is generated, `run` when it has
 * ended. A `run` event between tokens says that generation begins anew: what came before is void. `error` ends a
 * stream that cannot go on; the run itself does, unless the message says otherwise. Events carry ids that count from 1 within a run.
 */
export const runEventSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('run'), run: runGetSchema }),
  z.object({
    type: z.literal('token'),
    /** Index of the returned sequence. */
    index: z.int(),
    /** What these tokens add to the text: possibly nothing, never half a character. */
    text: z.string(),
    tokens: z.array(z.int()),
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
      return { index: event.index, text: event.text, tokens: event.tokens };
    case 'error':
      return { code: event.code, message: event.message };
    default:
      return event satisfies never;
  }
}

/** The event again from its name and `data`; null for names that a later server may add. Throws `ZodError`. */
export function parseRunEvent(type: string, data: unknown): RunEvent | null {
  if (type === 'run') return runEventSchema.parse({ type, run: data });
  if (type !== 'token' && type !== 'error') return null;
  return runEventSchema.parse({ ...z.record(z.string(), z.unknown()).parse(data), type });
}
