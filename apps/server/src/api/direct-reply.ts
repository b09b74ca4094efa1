import { ApiError } from '@gptj-cloud/protocol';
import type { Context } from 'hono';
import { EVENT_COALESCE_MS } from '../generation/event-coalesce-ms.ts';
import type { DirectEvent, GenerationService, PromptRequest } from '../generation/generation-service.ts';
import type { TextModel } from '../generation/text-model.ts';
import { breakOff } from '../http/break-off.ts';
import { dataStreamReply } from '../http/data-stream.ts';
import { type WaitingReplyOptions, waitingReply } from '../http/waiting-reply.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { AppEnv } from './access/app-env.ts';

export interface DirectReplyDeps {
  readonly model: TextModel;
  readonly generations: GenerationService;
  readonly logger: Logger;
  readonly waiting: WaitingReplyOptions;
}

/** How one API writes a generation down. */
export interface DirectReplyForms {
  /** The data of each event, for a reply that is streamed; null: collect. `onFailure` logs what nobody foresaw. */
  readonly stream: ((events: AsyncGenerator<DirectEvent>, onFailure: OnFailure) => AsyncGenerator<string>) | null;
  /** The JSON of a reply that is sent whole. */
  readonly collect: (events: AsyncGenerator<DirectEvent>) => Promise<unknown>;
}

export type OnFailure = (error: unknown) => ApiError;

/**
 * Generate and reply. Refusals at the gate throw and get their own status, whether streamed or not. A client that goes
 * away ends its generation.
 */
export async function directReply(
  { model, generations, logger, waiting }: DirectReplyDeps,
  c: Context<AppEnv>,
  prompts: readonly PromptRequest[],
  forms: DirectReplyForms,
): Promise<Response> {
  const gone = new AbortController();
  const left = AbortSignal.any([c.req.raw.signal, gone.signal]);
  const maxEventDelayMs = forms.stream === null ? EVENT_COALESCE_MS : 0;
  const request = { principal: c.get('principal'), model: model.info.modelName, prompts, maxEventDelayMs };
  const events = generations.generate(request, left);
  // The gate: what it refuses is answered as an error, not as a broken stream.
  await events.next();
  // A stream that nobody has begun to read is ended here alone.
  const leave = (): void => {
    events.return(undefined).catch((error: unknown) => {
      logger.error('a generation did not end well', { request_id: c.get('requestId'), error });
    });
  };
  if (left.aborted) leave();
  else left.addEventListener('abort', leave, { once: true });
  if (forms.stream === null) {
    // What ends because nobody waits for it is no failure.
    const collected = forms.collect(events).catch((error: unknown) => {
      if (!left.aborted) throw error;
      return null;
    });
    return await waitingReply(collected, waiting, breakOff(c, logger));
  }
  const onFailure: OnFailure = (error) => {
    logger.error('request failed', { request_id: c.get('requestId'), error });
    return new ApiError('internal');
  };
  return dataStreamReply(forms.stream(events, onFailure), {
    heartbeatMs: waiting.blankEveryMs,
    onGone: () => gone.abort(),
    breakOff: breakOff(c, logger),
  });
}
