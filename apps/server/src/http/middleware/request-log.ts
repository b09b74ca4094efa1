import { randomUUID } from 'node:crypto';
import type { Context, MiddlewareHandler } from 'hono';
import type { LogFields, Logger } from '../../telemetry/logger.ts';
import { newRequestFigures, type RequestFigures, withRequestFigures } from '../../telemetry/request-figures.ts';
import type { HttpEnv } from '../http-env.ts';

/** Request ids that callers may choose: without characters that break a log line or a page. */
const VALID_ID = /^[\w.:-]{1,128}$/;

/**
 * Give every request an id, sent back as X-Request-Id (the caller's own, when it sent a valid one), and every reply a
 * line in the log, written when the reply has ended. Queries and bodies are not logged. Probes, scrapes and the
 * dashboard's files are many and of little interest to an operator: they are logged at `debug`.
 */
export function requestLog(logger: Logger): MiddlewareHandler<HttpEnv> {
  return async (c, next) => {
    const given = c.req.header('x-request-id') ?? '';
    const requestId = VALID_ID.test(given) ? given : randomUUID();
    const startedMs = performance.now();
    const figures = newRequestFigures(requestId);
    c.set('requestId', requestId);
    const peer = c.env?.peer;
    let isSent = peer?.onReplyEnd === undefined;
    let isHandled = false;
    const log = (): void => {
      const { isDashboard, isPolled } = c.var;
      logger[isDashboard === true || isPolled === true ? 'debug' : 'info']('request', {
        request_id: requestId,
        ...fieldsOf(c),
        duration_ms: Math.round(performance.now() - startedMs),
        ...generationFields(figures),
      });
    };
    // A client that leaves early ends the reply before the request is handled.
    peer?.onReplyEnd?.(() => {
      isSent = true;
      if (isHandled) log();
    });
    await withRequestFigures(figures, next);
    c.header('X-Request-Id', requestId);
    isHandled = true;
    if (isSent) log();
  };
}

function fieldsOf(c: Context<HttpEnv>): LogFields {
  const { traceId, projectId, caller } = c.var;
  return {
    ...(traceId === undefined ? {} : { trace_id: traceId }),
    client: c.get('clientAddress'),
    method: c.req.method,
    path: c.req.path.slice(0, 200),
    status: c.res.status,
    ...(projectId === undefined ? {} : { project_id: projectId }),
    ...(caller === undefined ? {} : { user_id: caller.userId }),
    ...(caller?.apiKeyId == null ? {} : { token_id: caller.apiKeyId }),
  };
}

function generationFields({ model, promptTokens, generatedTokens, queueMs }: RequestFigures): LogFields {
  if (model === null) return {};
  return {
    model,
    prompt_tokens: promptTokens,
    generated_tokens: generatedTokens,
    queue_ms: Math.round(queueMs),
  };
}
