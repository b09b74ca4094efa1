import { type BreakOff, FAIL_BODY } from './break-off.ts';

/** One server-sent event. */
export interface ServerSentEvent {
  /** Without line breaks. */
  readonly id: string;
  readonly event: string;
  readonly data: unknown;
}

/** What a stream of events is made from. */
export interface EventSource {
  /** The next event, waited for; null at the end. */
  next(): Promise<ServerSentEvent | null>;
  /** Nobody reads any more. Called once, whether the stream ended or its reader went. */
  close(reason: 'ended' | 'gone'): void;
}

export interface EventStreamOptions {
  /** Between two comment lines that keep the connection open. Default 15 s. */
  readonly heartbeatMs?: number;
}

/** Headers of an event stream; the last tells nginx not to hold it back. */
const HEADERS = { 'content-type': 'text/event-stream; charset=utf-8', 'x-accel-buffering': 'no' };

/**
 * A reply of server-sent events. An event is asked for only when the reader has taken what came before, so a slow
 * reader costs its socket's buffer and no more.
 */
export function eventStreamReply(
  source: EventSource,
  { heartbeatMs = 15_000 }: EventStreamOptions,
  breakOff: BreakOff = FAIL_BODY,
): Response {
  const encoder = new TextEncoder();
  let heartbeat: NodeJS.Timeout | undefined;
  let closed = false;
  const close = (reason: 'ended' | 'gone'): void => {
    clearInterval(heartbeat);
    if (closed) return;
    closed = true;
    source.close(reason);
  };
  const body = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        heartbeat = setInterval(() => {
          if ((controller.desiredSize ?? 0) > 0) controller.enqueue(encoder.encode(': still here\n\n'));
        }, heartbeatMs);
      },
      async pull(controller) {
        try {
          const event = await source.next();
          if (closed) return;
          if (event === null) {
            close('ended');
            controller.close();
            return;
          }
          controller.enqueue(encoder.encode(formatEvent(event)));
        } catch (error) {
          close('ended');
          breakOff(controller, error);
        }
      },
      cancel: () => close('gone'),
    },
    { highWaterMark: 8 },
  );
  return new Response(body, { headers: HEADERS });
}

/** JSON holds no line breaks, so that every event is one `data` line. */
function formatEvent({ id, event, data }: ServerSentEvent): string {
  return `id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}
