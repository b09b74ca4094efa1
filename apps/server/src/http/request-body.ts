import { ApiError } from '@gptj-cloud/protocol';
import { currentLoad } from './load/current-load.ts';

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

/** The body of a request, chunk by chunk as the client sends it. */
export interface BodyChunks {
  /** Length that the client announced; null when it announced none. It may be wrong. */
  readonly announcedBytes: number | null;
  /**
   * The next chunk, null at the end. Throws `body_too_large` as soon as the limit is passed, `body_incomplete` when the
   * connection breaks or is too slow, `encoding_refused` when the body is compressed.
   */
  next(): Promise<Uint8Array | null>;
  /**
   * Read and drop what the client still sends, up to {@link MAX_DISCARDED_BYTES} beyond the limit: a client that is still
   * sending when the connection closes gets a broken pipe instead of the reply. Then read no more. Idempotent.
   */
  end(): Promise<void>;
}

const MAX_DISCARDED_BYTES = 64 * 2 ** 20;

/** A body has to arrive at the minimum rate in every window of this length; pauses of a network are shorter. */
const PACE_WINDOW_MS = 10_000;

/** Read the body of a request as a whole. Throws what {@link BodyChunks} throws, and `too_many_bytes_in_flight`. */
export async function readBody(request: Request, limit: BodyLimit): Promise<Uint8Array> {
  const load = currentLoad();
  // Bytes are held as they arrive: the size that a client announces may be wrong.
  const body = openBody(request, limit, (bytes) => load?.hold(bytes));
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for (let chunk = await body.next(); chunk !== null; chunk = await body.next()) {
      chunks.push(chunk);
      size += chunk.length;
    }
    return Buffer.concat(chunks, size);
  } finally {
    chunks.length = 0;
    await body.end();
  }
}

/**
 * The body of a request in chunks. Bytes are counted on arrival, so a wrong or missing Content-Length does not matter.
 *
 * @param receive called with the length of each chunk within the limit; when it throws, no more is read
 */
export function openBody(
  request: Request,
  { maxBytes, remedy }: BodyLimit,
  receive: (bytes: number) => void,
): BodyChunks {
  const tooLarge = (): ApiError =>
    new ApiError('body_too_large', { limit: maxBytes }, remedy === undefined ? {} : { remedy });
  const encoding = request.headers.get('content-encoding') ?? 'identity';
  const length = request.headers.get('content-length') ?? '';
  const announcedBytes = /^\d{1,15}$/.test(length) ? Number(length) : null;
  const reader = request.body?.getReader();
  const load = currentLoad();
  const pace = watchPace(load?.limits.minBytesPerSecond ?? 0);
  let size = 0;
  let isOver = reader === undefined;
  const cancel = (): void => {
    isOver = true;
    pace.end();
    // Not awaited: the sender decides when its stream ends, and the reply need not wait for that.
    reader?.cancel().catch(() => undefined);
  };
  const read = async (): Promise<Uint8Array | null> => {
    if (reader === undefined || isOver) return null;
    const { done, value } = await pace.within(reader.read()).catch((cause: unknown) => {
      cancel();
      throw new ApiError('body_incomplete', {}, { cause });
    });
    if (done) {
      isOver = true;
      pace.end();
      return null;
    }
    size += value.length;
    pace.count(value.length);
    return value;
  };
  return {
    announcedBytes,
    async next() {
      if (encoding.toLowerCase() !== 'identity') {
        throw new ApiError('encoding_refused', { got: JSON.stringify(encoding.slice(0, 40)) });
      }
      if (announcedBytes !== null && announcedBytes > maxBytes) throw tooLarge();
      const chunk = await read();
      if (size > maxBytes) throw tooLarge();
      try {
        if (chunk !== null) receive(chunk.length);
      } catch (error) {
        cancel();
        throw error;
      }
      return chunk;
    },
    async end() {
      const most = maxBytes + MAX_DISCARDED_BYTES;
      if (announcedBytes !== null && announcedBytes > most) cancel();
      try {
        for (let chunk = await read(); chunk !== null; chunk = await read()) {
          load?.pass(chunk.length);
          if (size > most) cancel();
        }
      } catch {
        // The client is gone: it gets no reply.
      }
    },
  };
}

interface Pace {
  /** The result of a read; rejects when the client is too slow meanwhile. */
  within<Result>(read: Promise<Result>): Promise<Result>;
  count(bytes: number): void;
  end(): void;
}

/**
 * Watches that at least the minimum of bytes arrives in a window of time, less the time in which the server did not wait
 * for the client, but stored what it had sent.
 */
function watchPace(minBytesPerSecond: number): Pace {
  let received = 0;
  /** When the server began with what has arrived; null while it waits for the client. */
  let busySince: number | null = performance.now();
  let busyMs = 0;
  const countBusy = (): void => {
    if (busySince !== null) busyMs += performance.now() - busySince;
  };
  let refuse: (error: Error) => void = () => {};
  const tooSlow = new Promise<never>((_, reject) => {
    refuse = reject;
  });
  // The body may have ended before.
  tooSlow.catch(() => undefined);
  const check = (): void => {
    countBusy();
    const waitedMs = Math.max(0, PACE_WINDOW_MS - busyMs);
    if (busySince === null && received < (minBytesPerSecond * waitedMs) / 1000) {
      refuse(new Error(`fewer than ${minBytesPerSecond} bytes a second arrived`));
    }
    if (busySince !== null) busySince = performance.now();
    busyMs = 0;
    received = 0;
  };
  const timer = minBytesPerSecond > 0 ? setInterval(check, PACE_WINDOW_MS) : undefined;
  return {
    async within(read) {
      countBusy();
      busySince = null;
      try {
        return await Promise.race([read, tooSlow]);
      } finally {
        busySince = performance.now();
      }
    },
    count(bytes) {
      received += bytes;
    },
    end: () => clearInterval(timer),
  };
}

/** Media type of a request without parameters, lower case; empty when there is none. */
export function mediaType(request: Request): string {
  return (request.headers.get('content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
}
