import { ApiError } from '@gptj-cloud/protocol';
import { type AbortReply, FAIL_BODY } from './abort-reply.ts';
import { currentLoad } from './load/current-load.ts';

/** One server-sent event. No field holds a line break. */
export interface ServerSentEvent {
  readonly id?: string;
  readonly event?: string;
  readonly data: string;
}

/** The events of a stream. */
export interface EventSource {
  /** Waits for the next event; null at the end. */
  next(): Promise<ServerSentEvent | null>;
  /** The stream ended, or its client disconnected. Called once. */
  close(reason: 'ended' | 'gone'): void | Promise<void>;
}

export interface EventStreamOptions {
  /** Interval of comment lines that keep the connection open. Default 15 s. */
  readonly heartbeatMs?: number;
  /** Throws an `ApiError` when the client may no longer read the stream. */
  readonly reauthorize?: () => Promise<void>;
  /** Interval of these checks. Default 5 s. */
  readonly reauthorizeMs?: number;
}

/** `x-accel-buffering` makes nginx send events unbuffered. */
const HEADERS = { 'content-type': 'text/event-stream; charset=utf-8', 'x-accel-buffering': 'no' };

/**
 * A reply of server-sent events. The next event is requested when the client has read the one before, so a slow client
 * uses only the memory of its socket's buffer.
 */
export function eventStreamReply(
  source: EventSource,
  { heartbeatMs = 15_000, reauthorize, reauthorizeMs = 5_000 }: EventStreamOptions,
  abortReply: AbortReply = FAIL_BODY,
): Response {
  currentLoad()?.holdStream();
  const encoder = new TextEncoder();
  let heartbeat: NodeJS.Timeout | undefined;
  let check: NodeJS.Timeout | undefined;
  let closed = false;
  const close = async (reason: 'ended' | 'gone'): Promise<void> => {
    clearInterval(heartbeat);
    clearInterval(check);
    if (closed) return;
    closed = true;
    await source.close(reason);
  };
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      heartbeat = setInterval(() => {
        if ((controller.desiredSize ?? 0) > 0) controller.enqueue(encoder.encode(': still here\n\n'));
      }, heartbeatMs);
      if (reauthorize === undefined) return;
      check = setInterval(() => {
        reauthorize().catch(async (error: unknown) => {
          // While the store cannot be asked, the stream goes on.
          if (closed || !(error instanceof ApiError) || error.status >= 500) return;
          await close('gone');
          abortReply(controller, error);
        });
      }, reauthorizeMs);
    },
    async pull(controller) {
      try {
        const event = await source.next();
        if (closed) return;
        if (event !== null) {
          controller.enqueue(encoder.encode(formatEvent(event)));
          return;
        }
        await close('ended');
        controller.close();
      } catch (error) {
        if (closed) return;
        await close('ended');
        abortReply(controller, error);
      }
    },
    cancel: () => close('gone'),
  });
  return new Response(body, { headers: HEADERS });
}

/** A source of events with data only. `onGone` is called when the client disconnects. */
export function dataSource(texts: AsyncGenerator<string>, onGone: () => void): EventSource {
  return {
    async next() {
      const { done, value } = await texts.next();
      return done === true ? null : { data: value };
    },
    async close(reason) {
      if (reason === 'gone') onGone();
      await texts.return(undefined);
    },
  };
}

function formatEvent({ id, event, data }: ServerSentEvent): string {
  const fields = [id === undefined ? '' : `id: ${id}\n`, event === undefined ? '' : `event: ${event}\n`];
  return `${fields.join('')}data: ${data}\n\n`;
}
