import { type BreakOff, FAIL_BODY } from './break-off.ts';

export interface DataStreamOptions {
  /** Between two comment lines that keep the connection open. */
  readonly heartbeatMs: number;
  /** The reader is gone: end what still feeds the stream. */
  readonly onGone: () => void;
  /** Default: the body fails. */
  readonly breakOff?: BreakOff;
}

/** Headers of an event stream; the last tells nginx not to hold it back. */
const HEADERS = { 'content-type': 'text/event-stream; charset=utf-8', 'x-accel-buffering': 'no' };

/**
 * A reply of server-sent events that have nothing but data, one line each. The next one is asked for when the reader
 * has taken what came before, so a slow reader costs its socket's buffer and no more. A failing source breaks the
 * connection off: sources tell of errors in an event of their own.
 */
export function dataStreamReply(source: AsyncGenerator<string>, options: DataStreamOptions): Response {
  const encoder = new TextEncoder();
  let heartbeat: NodeJS.Timeout | undefined;
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      heartbeat = setInterval(() => {
        if ((controller.desiredSize ?? 0) > 0) controller.enqueue(encoder.encode(': still here\n\n'));
      }, options.heartbeatMs);
    },
    async pull(controller) {
      try {
        const { done, value } = await source.next();
        if (heartbeat === undefined) return;
        if (done === true) {
          clearInterval(heartbeat);
          controller.close();
        } else {
          controller.enqueue(encoder.encode(`data: ${value}\n\n`));
        }
      } catch (error) {
        clearInterval(heartbeat);
        if (heartbeat !== undefined) (options.breakOff ?? FAIL_BODY)(controller, error);
      }
    },
    async cancel() {
      clearInterval(heartbeat);
      heartbeat = undefined;
      options.onGone();
      await source.return(undefined);
    },
  });
  return new Response(body, { headers: HEADERS });
}
