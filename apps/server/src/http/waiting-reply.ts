import { type BreakOff, FAIL_BODY } from './break-off.ts';

/**
 * A reply that may take minutes, for clients that give up after a minute without a byte: first a moment of plain
 * waiting, in which an error still gets its own status; then the headers, a blank every few seconds (JSON may start
 * with blanks), and at last the JSON.
 */
export interface WaitingReplyOptions {
  /** Plain waiting before the headers go out. */
  readonly patienceMs: number;
  /** Between two blanks. Below the clients' 60 s, and what proxies in between allow. */
  readonly blankEveryMs: number;
}

/**
 * The reply holding `outcome` as JSON with status 200. A client that goes away stops the blanks, not the outcome.
 * Once blanks are sent, a rejected outcome can only break the connection off: half a reply is no reply.
 */
export async function waitingReply(
  outcome: Promise<unknown>,
  options: WaitingReplyOptions,
  breakOff: BreakOff = FAIL_BODY,
): Promise<Response> {
  const headers = { 'content-type': 'application/json' };
  const early = await withinTime(outcome, options.patienceMs);
  if (early !== null) return new Response(JSON.stringify(early.value), { headers });

  const encoder = new TextEncoder();
  let blanks: NodeJS.Timeout | undefined;
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      // The headers leave with the first byte.
      controller.enqueue(encoder.encode(' '));
      blanks = setInterval(() => {
        // A reader that takes nothing gets nothing more: blanks must not pile up.
        if ((controller.desiredSize ?? 0) > 0) controller.enqueue(encoder.encode(' '));
      }, options.blankEveryMs);
      outcome.then(
        (value) => {
          if (blanks === undefined) return;
          clearInterval(blanks);
          controller.enqueue(encoder.encode(JSON.stringify(value)));
          controller.close();
        },
        (error: unknown) => {
          if (blanks === undefined) return;
          clearInterval(blanks);
          breakOff(controller, error);
        },
      );
    },
    cancel() {
      clearInterval(blanks);
      blanks = undefined;
    },
  });
  return new Response(body, { headers });
}

/** The value, if it comes in time. Rejects when the promise does in that time. */
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
