import { ApiError } from '@gptj-cloud/protocol';
import { currentLoad } from './load/current-load.ts';
import type { RequestLoad } from './load/request-load.ts';

export interface BodyLimit {
  readonly maxBytes: number;
  /** Remedy of `body_too_large`. Default: the catalogue's, which names the setting. */
  readonly remedy?: string;
}

/** No field of an account, token or project is longer. */
export const SMALL_BODY: BodyLimit = {
  maxBytes: 16_384,
  remedy: 'send less: no field of this address is that long, and no setting raises this limit',
};

/**
 * Bytes beyond the limit that are read and dropped before the error: a client that is still sending when the connection
 * closes gets a broken pipe instead of the error reply.
 */
const MAX_DISCARDED_BYTES = 64 * 2 ** 20;
/** A body has to arrive at the minimum rate in every window of this length; pauses of a network are shorter. */
const PACE_WINDOW_MS = 10_000;

/**
 * Read the body of a request. Bytes are counted on arrival, so a wrong or missing Content-Length does not matter.
 * Throws `body_too_large`, `body_incomplete` when the connection breaks, `encoding_refused` when it is compressed.
 */
export async function readBody(request: Request, { maxBytes, remedy }: BodyLimit): Promise<Uint8Array> {
  const tooLarge = (): ApiError =>
    new ApiError('body_too_large', { limit: maxBytes }, remedy === undefined ? {} : { remedy });
  const encoding = request.headers.get('content-encoding') ?? 'identity';
  if (encoding.toLowerCase() !== 'identity') {
    throw new ApiError('encoding_refused', { got: JSON.stringify(encoding.slice(0, 40)) });
  }
  if (Number(request.headers.get('content-length') ?? 0) > maxBytes + MAX_DISCARDED_BYTES) throw tooLarge();
  if (request.body === null) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let size = 0;
  const reader = request.body.getReader();
  const cancel = (): void => {
    // Not awaited: the sender decides when its stream ends, and the reply need not wait for that.
    reader.cancel().catch(() => undefined);
  };
  const load = currentLoad();
  const pace = watchPace(load?.limits.minBytesPerSecond ?? 0, () => size);
  try {
    for (;;) {
      const { done, value } = await Promise.race([reader.read(), pace.tooSlow]).catch((cause: unknown) => {
        cancel();
        throw new ApiError('body_incomplete', {}, { cause });
      });
      if (done && size <= maxBytes) return Buffer.concat(chunks, size);
      if (done) throw tooLarge();
      size += value.length;
      if (size <= maxBytes) {
        hold(load, value.length, cancel);
        chunks.push(value);
      } else chunks.length = 0;
      if (size > maxBytes + MAX_DISCARDED_BYTES) {
        cancel();
        throw tooLarge();
      }
    }
  } finally {
    pace.end();
  }
}

/** Bytes are held as they arrive: the size that a client announces may be wrong. */
function hold(load: RequestLoad | undefined, bytes: number, cancel: () => void): void {
  try {
    load?.hold(bytes);
  } catch (error) {
    cancel();
    throw error;
  }
}

/** Rejects `tooSlow` when fewer bytes than the minimum arrive in a window of time. */
function watchPace(
  minBytesPerSecond: number,
  received: () => number,
): { readonly tooSlow: Promise<never>; readonly end: () => void } {
  let before = 0;
  let timer: NodeJS.Timeout | undefined;
  const tooSlow = new Promise<never>((_, reject) => {
    if (minBytesPerSecond === 0) return;
    timer = setInterval(() => {
      if (received() - before < (minBytesPerSecond * PACE_WINDOW_MS) / 1000) {
        reject(new Error(`fewer than ${minBytesPerSecond} bytes a second arrived`));
      }
      before = received();
    }, PACE_WINDOW_MS);
  });
  // The reader may have thrown before.
  tooSlow.catch(() => undefined);
  return { tooSlow, end: () => clearInterval(timer) };
}

/** Media type of a request without parameters, lower case; empty when there is none. */
export function mediaType(request: Request): string {
  return (request.headers.get('content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
}
