import { gzipStream, gzipText, MIN_COMPRESSED_LENGTH } from './compression.ts';
import { jsonSlices, jsonWeight, MAX_SLICE_LENGTH, otherWork } from './json-slices.ts';
import { currentLoad } from './load/current-load.ts';

type Body = string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>;
/** Makes the reply of a body and its headers. */
export type Respond = (body: Body, headers: Record<string, string>) => Response;

const TYPE = { 'content-type': 'application/json' };

/**
 * Write a value as JSON, a long one in slices: each is written when the one before has been sent, so that neither the text
 * is held as a whole nor the thread is occupied for all of it. The size is held until the reply has ended. Throws
 * `too_many_bytes_in_flight`.
 */
export function jsonReply(value: unknown, respond: Respond): Response {
  return respond(jsonText(value), TYPE);
}

/** As `jsonReply`, compressed when it is longer than a kilobyte and the client reads gzip. */
export async function compressedJsonReply(value: unknown, readsGzip: boolean, respond: Respond): Promise<Response> {
  const text = jsonText(value);
  if (typeof text === 'string' && text.length < MIN_COMPRESSED_LENGTH) return respond(text, TYPE);
  const headers = { ...TYPE, vary: 'Accept-Encoding' };
  if (!readsGzip) return respond(text, headers);
  const body = typeof text === 'string' ? await gzipText(text) : gzipStream(text);
  return respond(body, { ...headers, 'content-encoding': 'gzip' });
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
