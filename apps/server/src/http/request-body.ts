import { ApiError } from '@gptj-cloud/protocol';

/**
 * So much beyond the limit is read and dropped before the refusal: a client that is still sending when the connection
 * closes sees a broken pipe, and never the reply that tells it why.
 */
const MAX_DISCARDED = 64 * 2 ** 20;

/**
 * The whole body of a request, counted while it arrives: a wrong or missing Content-Length changes nothing.
 * Throws `body_too_large`, `body_incomplete` when the connection breaks, `encoding_refused` when it is compressed.
 */
export async function readBody(request: Request, limit: number): Promise<Uint8Array> {
  const encoding = request.headers.get('content-encoding') ?? 'identity';
  if (encoding.toLowerCase() !== 'identity') {
    throw new ApiError('encoding_refused', { got: JSON.stringify(encoding.slice(0, 40)) });
  }
  if (Number(request.headers.get('content-length') ?? 0) > limit + MAX_DISCARDED) {
    throw new ApiError('body_too_large', { limit });
  }
  if (request.body === null) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let size = 0;
  const reader = request.body.getReader();
  for (;;) {
    const { done, value } = await reader.read().catch((cause: unknown) => {
      throw new ApiError('body_incomplete', {}, { cause });
    });
    if (done && size <= limit) return Buffer.concat(chunks, size);
    if (done) throw new ApiError('body_too_large', { limit });
    size += value.length;
    if (size <= limit) chunks.push(value);
    else chunks.length = 0;
    if (size > limit + MAX_DISCARDED) {
      // Not awaited: the sender decides when its stream ends, and the reply need not wait for that.
      reader.cancel().catch(() => undefined);
      throw new ApiError('body_too_large', { limit });
    }
  }
}

/** Media type of a request without parameters, lower case; empty when there is none. */
export function mediaType(request: Request): string {
  return (request.headers.get('content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
}
