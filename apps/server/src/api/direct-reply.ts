import { ApiError, apiErrorOf } from '@gptj-cloud/protocol';
import { EVENT_COALESCE_MS } from '../generation/event-coalesce-ms.ts';
import type { DirectEvent, GenerationService, PromptRequest } from '../generation/generation-service.ts';
import type { TextModel } from '../generation/text-model.ts';
import { abortReply } from '../http/abort-reply.ts';
import { dataSource, eventStreamReply } from '../http/event-stream.ts';
import { currentLoad } from '../http/load/current-load.ts';
import type { RequestContext } from '../http/request-context.ts';
import { type WaitingReplyOptions, waitingReply } from '../http/waiting-reply.ts';
import type { Principal } from '../identity/principal.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { JobRunner } from '../workers/job-runner.ts';

/** Dependencies of the routes of all compatible APIs. */
export interface DirectRoutesDeps {
  readonly model: TextModel;
  readonly jobs: JobRunner<TextModel>;
  readonly generations: GenerationService;
  readonly logger: Logger;
  readonly clock: () => Date;
  readonly maxJsonBytes: number;
  readonly waiting: WaitingReplyOptions;
}

export interface DirectRequest {
  readonly request: RequestContext;
  readonly principal: Principal;
  /** The model that generates. */
  readonly model: TextModel;
  readonly prompts: readonly PromptRequest[];
}

/** The reply format of one API. */
export interface DirectReplyForms {
  /** The data of each event of a streamed reply; null for a reply in one piece. `onFailure` logs unexpected errors. */
  readonly stream: ((events: AsyncGenerator<DirectEvent>, onFailure: OnFailure) => AsyncGenerator<string>) | null;
  /** The JSON of a reply in one piece. */
  readonly collect: (events: AsyncGenerator<DirectEvent>) => Promise<unknown>;
}

export type OnFailure = (error: unknown) => ApiError;

/**
 * Generate and reply. Errors before the first event throw and get their own status, whether streamed or not. A client
 * that disconnects ends its generation.
 */
export async function directReply(
  { generations, logger, waiting }: Pick<DirectRoutesDeps, 'generations' | 'logger' | 'waiting'>,
  { request, principal, model, prompts }: DirectRequest,
  forms: DirectReplyForms,
): Promise<Response> {
  if (forms.stream !== null) currentLoad()?.holdStream();
  const gone = new AbortController();
  const disconnected = AbortSignal.any([request.signal, gone.signal]);
  const maxEventDelayMs = forms.stream === null ? EVENT_COALESCE_MS : 0;
  const generation = { principal, model: model.info.modelName, prompts, maxEventDelayMs };
  const events = generations.generate(generation, disconnected);
  // Admission comes before the first event: its refusal is an error reply, not a broken stream.
  await events.next();
  // Ends a stream that its client has not begun to read.
  const end = (): void => {
    events.return(undefined).catch((error: unknown) => {
      logger.error('a generation failed after its reply', { request_id: request.requestId, error });
    });
  };
  if (disconnected.aborted) end();
  else disconnected.addEventListener('abort', end, { once: true });
  if (forms.stream === null) {
    // A disconnected client is not a failure.
    const collected = forms.collect(events).catch((error: unknown) => {
      if (!disconnected.aborted) throw error;
      return null;
    });
    return await waitingReply(collected, waiting, abortReply(request, logger));
  }
  const onFailure: OnFailure = (error) => {
    const known = apiErrorOf(error);
    if (known !== null) return known;
    logger.error('request failed', { request_id: request.requestId, error });
    return new ApiError('internal');
  };
  return eventStreamReply(
    dataSource(forms.stream(events, onFailure), () => gone.abort()),
    { heartbeatMs: waiting.spaceIntervalMs, reauthorize: request.reauthorize },
    abortReply(request, logger),
  );
}
