import { currentLoad } from './load/current-load.ts';

/** Longer replies are sent in parts, so that a reader who stops does not hold a second copy. */
const MAX_WHOLE_LENGTH = 2 ** 20;
const PART_LENGTH = 2 ** 16;

/** Write a value as JSON. Its size is held until the reply has ended. Throws `too_many_bytes_in_flight`. */
export function jsonReply(
  value: unknown,
  respond: (body: string | ReadableStream<Uint8Array>, headers: { readonly 'content-type': string }) => Response,
): Response {
  return respond(jsonText(value), { 'content-type': 'application/json' });
}

function jsonText(value: unknown): string | ReadableStream<Uint8Array> {
  const text = JSON.stringify(value);
  currentLoad()?.hold(text.length);
  return text.length <= MAX_WHOLE_LENGTH ? text : inParts(text);
}

/** The text in parts, each encoded when the one before has been sent. */
function inParts(text: string): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      let end = Math.min(text.length, at + PART_LENGTH);
      // A pair of surrogates is one character.
      if (end < text.length && isHighSurrogate(text.charCodeAt(end - 1))) end--;
      controller.enqueue(encoder.encode(text.slice(at, end)));
      at = end;
      if (at === text.length) controller.close();
    },
  });
}

function isHighSurrogate(code: number): boolean {
  return code >= 0xd800 && code <= 0xdbff;
}
