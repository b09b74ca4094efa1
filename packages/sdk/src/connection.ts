/** One HTTP request and its reply: what is sent, how long to wait, what counts as an error. Works wherever `fetch` is. */
import { ConnectionFailedError } from './errors.ts';
import { errorOf } from './refusal.ts';

export interface Endpoint {
  /** Without a slash at its end. */
  readonly url: string;
  readonly token: string;
  /** Longest silence; null waits for ever. */
  readonly timeoutMs: number | null;
  /** Most repetitions of one request. */
  readonly maxRetries: number;
  readonly fetch: typeof globalThis.fetch;
}

export interface Call {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Default `application/json`. */
  readonly accept?: string;
  readonly signal?: AbortSignal | undefined;
  /** Whether to send it twice does no more than to send it once. Default: everything but POST. */
  readonly isIdempotent?: boolean;
}

/** A reply with a status of success, its body still to be read. */
export interface Connection {
  readonly reply: Response;
  /** The body as it comes; pieces never cut a character in two. To be read once. Throws like {@link connect}. */
  texts(): AsyncGenerator<string, void, undefined>;
  /** Let go of what was not read. Idempotent. */
  close(): void;
}

/**
 * Send a request. Throws a `PipelineApiError` for no reply and for every status outside 2xx; when the caller's signal
 * fires, its reason. A body without a JSON form is a `TypeError`, and nothing is sent.
 */
export async function connect(endpoint: Endpoint, call: Call): Promise<Connection> {
  call.signal?.throwIfAborted();
  const body = call.body === undefined ? null : JSON.stringify(call.body);
  const ending = new AbortController();
  let isSilent = false;
  const watch = watchSilence(endpoint.timeoutMs, () => {
    isSilent = true;
    ending.abort();
  });
  const close = (): void => {
    watch.rest();
    ending.abort();
  };
  const failure = (cause: unknown): unknown => {
    close();
    if (call.signal?.aborted) return call.signal.reason;
    if (isSilent) {
      const message = `${endpoint.url} was silent for ${endpoint.timeoutMs} ms; raise timeoutMs`;
      return new ConnectionFailedError(message, { cause });
    }
    // `fetch` and body readers report every failure of the network as a TypeError.
    if (!(cause instanceof TypeError)) return cause;
    return new ConnectionFailedError(`no complete reply from ${endpoint.url}: ${reasonOf(cause)}`, { cause });
  };
  try {
    watch.listen();
    const reply = await endpoint.fetch(`${endpoint.url}${call.path}`, {
      method: call.method,
      headers: {
        accept: call.accept ?? 'application/json',
        authorization: `Bearer ${endpoint.token}`,
        ...(body === null ? {} : { 'content-type': 'application/json' }),
        ...call.headers,
      },
      body,
      // The token goes to the host that was named and to no other.
      redirect: 'error',
      signal: call.signal === undefined ? ending.signal : AbortSignal.any([call.signal, ending.signal]),
    });
    watch.rest();
    if (!reply.ok) {
      const { status, statusText, headers } = reply;
      let text = '';
      for await (const piece of pieces(reply, watch)) text += piece;
      throw errorOf({ status, statusText, headers, text }, Date.now());
    }
    return {
      reply,
      close,
      async *texts() {
        try {
          yield* pieces(reply, watch);
        } catch (cause) {
          throw failure(cause);
        } finally {
          close();
        }
      },
    };
  } catch (cause) {
    throw failure(cause);
  }
}

/** Each piece counts as a sign of life. */
async function* pieces(reply: Response, watch: SilenceWatch): AsyncGenerator<string, void, undefined> {
  if (reply.body === null) return;
  const reader = reply.body.getReader();
  const decoder = new TextDecoder();
  try {
    for (;;) {
      watch.listen();
      const piece = await reader.read();
      watch.rest();
      if (piece.done) break;
      const text = decoder.decode(piece.value, { stream: true });
      if (text !== '') yield text;
    }
    const rest = decoder.decode();
    if (rest !== '') yield rest;
  } finally {
    // Of a body that broke there is nothing left to cancel.
    reader.cancel().catch(() => undefined);
  }
}

/** A timer that runs while something is awaited. */
interface SilenceWatch {
  /** From now on something is awaited. */
  listen(): void;
  /** Nothing is awaited: a slow caller is not a silent server. */
  rest(): void;
}

function watchSilence(limitMs: number | null, onSilence: () => void): SilenceWatch {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const rest = (): void => clearTimeout(timer);
  return {
    rest,
    listen: () => {
      rest();
      if (limitMs !== null) timer = setTimeout(onSilence, limitMs);
    },
  };
}

/** Node keeps the real reason of "fetch failed" in `cause`. */
function reasonOf(error: Error): string {
  return error.cause instanceof Error && error.cause.message !== '' ? error.cause.message : error.message;
}
