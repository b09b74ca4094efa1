/** One HTTP request and its reply: headers, time limits and errors. Needs `fetch` only. */
import type { Access } from './access.ts';
import { ConnectionFailedError } from './errors.ts';
import { errorOf } from './refusal.ts';
import type { RetryNotice } from './retry.ts';

export interface Endpoint {
  /** Without a trailing slash. */
  readonly url: string;
  readonly access: Access;
  /** The project in which a session acts; null for the user's first one. */
  readonly projectId: string | null;
  /** Maximum time without a byte from the server; null for no limit. */
  readonly timeoutMs: number | null;
  /** Maximum number of retries of one request. */
  readonly maxRetries: number;
  readonly onRetry: (notice: RetryNotice) => void;
  readonly fetch: typeof globalThis.fetch;
}

export interface Call {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly path: string;
  /** Sent as JSON, or as a form. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Default `application/json`. */
  readonly accept?: string;
  readonly signal?: AbortSignal | undefined;
  /** Whether sending it twice has the effect of sending it once. Default: true for every method but POST. */
  readonly isIdempotent?: boolean;
  /**
   * What a write of a session needs: its CSRF token, the token if there is a session, or nothing. Default: `needed`.
   */
  readonly session?: 'needed' | 'used' | 'none';
}

/** A successful reply whose body is not read yet. */
export interface Connection {
  readonly reply: Response;
  /** The body in pieces of whole characters. May be read once. Throws like {@link connect}. */
  texts(): AsyncGenerator<string, void, undefined>;
  /** The body as it arrives. May be read once. Throws like {@link connect}. */
  chunks(): AsyncGenerator<Uint8Array, void, undefined>;
  /** Discard the unread rest of the body. Idempotent. */
  close(): void;
}

/**
 * Send a request. Throws a `PipelineApiError` when no reply arrives and for every status outside 2xx, and the reason of the
 * caller's signal when that aborts. Throws `TypeError` for a body without a JSON form, before anything is sent.
 */
export async function connect(endpoint: Endpoint, call: Call): Promise<Connection> {
  call.signal?.throwIfAborted();
  const { access } = endpoint;
  if (access.prepare !== null) {
    await access.prepare(endpoint, call);
    call.signal?.throwIfAborted();
  }
  const proof = access.headersOf(endpoint, call);
  try {
    return await connectOnce(endpoint, call, proof);
  } catch (error) {
    // The server refuses such a request before it does anything, so that it can be sent again.
    if (!(await access.renew(endpoint, error, proof))) throw error;
    return await connectOnce(endpoint, call, access.headersOf(endpoint, call));
  }
}

async function connectOnce(
  endpoint: Endpoint,
  call: Call,
  proof: Readonly<Record<string, string>>,
): Promise<Connection> {
  const isForm = call.body instanceof FormData;
  const body = call.body === undefined ? null : call.body instanceof FormData ? call.body : JSON.stringify(call.body);
  const ending = new AbortController();
  let isSilent = false;
  const watch = watchSilence(endpoint.timeoutMs, () => {
    isSilent = true;
    ending.abort();
  });
  const close = (): void => {
    watch.stop();
    ending.abort();
  };
  const failure = (cause: unknown): unknown => {
    close();
    if (call.signal?.aborted) return call.signal.reason;
    if (isSilent) {
      const message = `${endpoint.url} was silent for ${endpoint.timeoutMs} ms; increase timeoutMs`;
      return new ConnectionFailedError(message, { cause });
    }
    // `fetch` and body readers report every network error as a TypeError.
    if (!(cause instanceof TypeError)) return cause;
    const message = `no complete reply from ${endpoint.url}: ${reasonOf(cause)}${crossOriginHint(endpoint.url)}`;
    return new ConnectionFailedError(message, { cause });
  };
  try {
    watch.start();
    const reply = await endpoint.fetch(`${endpoint.url}${call.path}`, {
      method: call.method,
      headers: {
        accept: call.accept ?? 'application/json',
        // `fetch` writes the type of a form, which names its boundary.
        ...(body === null || isForm ? {} : { 'content-type': 'application/json' }),
        ...proof,
        ...call.headers,
      },
      body,
      ...(endpoint.access.credentials === undefined ? {} : { credentials: endpoint.access.credentials }),
      // A redirect would send the token to another host.
      redirect: 'error',
      signal: call.signal === undefined ? ending.signal : AbortSignal.any([call.signal, ending.signal]),
    });
    watch.stop();
    if (!reply.ok) {
      const { status, statusText, headers } = reply;
      let text = '';
      for await (const piece of texts(reply, watch)) text += piece;
      throw errorOf({ status, statusText, headers, text }, Date.now());
    }
    /** Ends the connection after the last piece, or when the reader leaves. */
    const owned = async function* <Piece>(parts: AsyncGenerator<Piece>): AsyncGenerator<Piece, void, undefined> {
      try {
        yield* parts;
      } catch (cause) {
        throw failure(cause);
      } finally {
        close();
      }
    };
    return {
      reply,
      close,
      texts: () => owned(texts(reply, watch)),
      chunks: () => owned(chunks(reply, watch)),
    };
  } catch (cause) {
    throw failure(cause);
  }
}

/** The body in pieces of whole characters. */
async function* texts(reply: Response, watch: SilenceWatch): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder();
  for await (const chunk of chunks(reply, watch)) {
    const text = decoder.decode(chunk, { stream: true });
    if (text !== '') yield text;
  }
  const rest = decoder.decode();
  if (rest !== '') yield rest;
}

/** The body in pieces; every piece restarts the time limit. */
async function* chunks(reply: Response, watch: SilenceWatch): AsyncGenerator<Uint8Array, void, undefined> {
  if (reply.body === null) return;
  const reader = reply.body.getReader();
  try {
    for (;;) {
      watch.start();
      const piece = await reader.read();
      watch.stop();
      if (piece.done) break;
      yield piece.value;
    }
  } finally {
    // A broken body has nothing left to cancel.
    reader.cancel().catch(() => undefined);
  }
}

/** A timer that runs while the client waits for the server. */
interface SilenceWatch {
  /** Start the timer: the client waits for the server. */
  start(): void;
  /** Stop the timer: the caller processes data, which does not count as silence of the server. */
  stop(): void;
}

function watchSilence(limitMs: number | null, onSilence: () => void): SilenceWatch {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const stop = (): void => clearTimeout(timer);
  return {
    stop,
    start: () => {
      stop();
      if (limitMs !== null) timer = setTimeout(onSilence, limitMs);
    },
  };
}

/** Node keeps the reason of "fetch failed" in `cause`. */
function reasonOf(error: Error): string {
  return error.cause instanceof Error && error.cause.message !== '' ? error.cause.message : error.message;
}

/** Browsers tell scripts neither that a server is down nor that it refuses the page, whose console shows it. */
function crossOriginHint(url: string): string {
  const page: { readonly origin: string } | undefined = globalThis.location;
  if (page === undefined || !('document' in globalThis) || new URL(url).origin === page.origin) return '';
  return `; if the server runs, set its CORS_ORIGINS to include ${page.origin}`;
}
