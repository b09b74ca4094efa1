import { ApiError } from '@gptj-cloud/protocol';

/**
 * The whole body of a request, counted while it arrives: a wrong or missing Content-Length changes nothing.
 * Throws `body_too_large`, `body_incomplete` when the connection breaks, `unsupported_media_type` when it is compressed.
 */
export async function readBody(request: Request, limit: number): Promise<Uint8Array> {
  const encoding = request.headers.get('content-encoding') ?? 'identity';
  if (encoding.toLowerCase() !== 'identity') {
    throw new ApiError('unsupported_media_type', {
      expected: 'a body without Content-Encoding',
      got: JSON.stringify(encoding.slice(0, 40)),
    });
  }
  if (Number(request.headers.get('content-length') ?? 0) > limit) throw new ApiError('body_too_large', { limit });
  if (request.body === null) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let size = 0;
  const reader = request.body.getReader();
  for (;;) {
    const { done, value } = await reader.read().catch((cause: unknown) => {
      throw new ApiError('body_incomplete', {}, { cause });
    });
    if (done) return Buffer.concat(chunks, size);
    size += value.length;
    if (size > limit) {
      // Not awaited: the sender decides when its stream ends, and the reply need not wait for that.
      reader.cancel().catch(() => undefined);
      throw new ApiError('body_too_large', { limit });
    }
    chunks.push(value);
  }
}

/** Media type of a request without parameters, lower case; empty when there is none. */
export function mediaType(request: Request): string {
  return (request.headers.get('content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
}
