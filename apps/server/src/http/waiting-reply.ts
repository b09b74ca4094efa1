import { type AbortReply, FAIL_BODY } from './abort-reply.ts';
import { jsonReply } from './json-reply.ts';
import { jsonSlices, jsonWeight, otherWork } from './json-slices.ts';
import { currentLoad } from './load/current-load.ts';

/**
 * A reply that may take minutes, for clients that time out after a minute without a byte: first a silent wait, in which
 * an error still gets its own status; then the headers, a space every few seconds (JSON may start with spaces), and
 * finally the JSON.
 */
export interface WaitingReplyOptions {
  /** Silent wait before the headers are sent. */
  readonly headerDelayMs: number;
  /** Interval between two spaces. Below the 60 s of the clients, and below the time-outs of proxies in between. */
  readonly spaceIntervalMs: number;
}

/**
 * The reply holding `outcome` as JSON with status 200. When the client disconnects, the spaces stop, but the
 * outcome is still awaited. After the first space, a rejected outcome closes the connection, so that a truncated reply does not look complete.
 */
export async function waitingReply(
  outcome: Promise<unknown>,
  options: WaitingReplyOptions,
  abortReply: AbortReply = FAIL_BODY,
): Promise<Response> {
  const headers = { 'content-type': 'application/json' };
  const early = await withinTime(outcome, options.headerDelayMs);
  if (early !== null) return jsonReply(early.value, (body) => new Response(body, { headers }));

  const encoder = new TextEncoder();
  let blanks: NodeJS.Timeout | undefined;
  let slices: Generator<string> | null = null;
  let opened = (): void => {};
  const hasOutcome = new Promise<void>((resolve) => {
    opened = resolve;
  });
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      // The headers are sent with the first byte.
      controller.enqueue(encoder.encode(' '));
      blanks = setInterval(() => {
        // Do not buffer spaces for a client that does not read.
        if ((controller.desiredSize ?? 0) > 0) controller.enqueue(encoder.encode(' '));
      }, options.spaceIntervalMs);
      outcome.then(
        (value) => {
          clearInterval(blanks);
          if (blanks === undefined) return;
          try {
            currentLoad()?.hold(jsonWeight(value));
            slices = jsonSlices(value);
          } catch (error) {
            abortReply(controller, error);
          }
          opened();
        },
        (error: unknown) => {
          if (blanks === undefined) return;
          clearInterval(blanks);
          abortReply(controller, error);
          opened();
        },
      );
    },
    async pull(controller) {
      await hasOutcome;
      if (slices === null) return;
      await otherWork();
      const { value: slice, done } = slices.next();
      if (done === true) controller.close();
      else controller.enqueue(encoder.encode(slice));
    },
    cancel() {
      clearInterval(blanks);
      blanks = undefined;
    },
  });
  return new Response(body, { headers });
}

/** The value, or null when the time runs out first. Rejects when the promise rejects in that time. */
async function withinTime<Value>(promise: Promise<Value>, timeoutMs: number): Promise<{ value: Value } | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), timeoutMs);
  });
  try {
    return await Promise.race([promise.then((value) => ({ value })), late]);
  } finally {
    clearTimeout(timer);
  }
}
