import { jsonSlices, jsonWeight, MAX_SLICE_LENGTH, otherWork } from './json-slices.ts';
import { currentLoad } from './load/current-load.ts';

/**
 * Write a value as JSON, a long one in slices: each is written when the one before has been sent, so that neither the text
 * is held as a whole nor the thread is occupied for all of it. The size is held until the reply has ended. Throws
 * `too_many_bytes_in_flight`.
 */
export function jsonReply(
  value: unknown,
  respond: (body: string | ReadableStream<Uint8Array>, headers: { readonly 'content-type': string }) => Response,
): Response {
  return respond(jsonText(value), { 'content-type': 'application/json' });
}

function jsonText(value: unknown): string | ReadableStream<Uint8Array> {
  const weight = jsonWeight(value);
  currentLoad()?.hold(weight);
  return weight <= MAX_SLICE_LENGTH ? JSON.stringify(value) : inSlices(value);
}

function inSlices(value: unknown): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  const slices = jsonSlices(value);
  return new ReadableStream({
    async pull(controller) {
      await otherWork();
      const { value: slice, done } = slices.next();
      if (done === true) controller.close();
      else controller.enqueue(encoder.encode(slice));
    },
  });
}
