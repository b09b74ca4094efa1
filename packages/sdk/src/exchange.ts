/** One HTTP exchange: what is sent, how long to wait, what counts as an error. Works wherever there is `fetch`. */
import { ConnectionFailedError, UnexpectedReplyError } from './errors.ts';
import { readJson } from './json.ts';
import { errorOf } from './refusal.ts';

export interface Endpoint {
  /** Without a slash at its end. */
  readonly url: string;
  readonly token: string;
  /** Longest silence; null waits for ever. */
  readonly timeoutMs: number | null;
  readonly fetch: typeof globalThis.fetch;
}

export interface Call {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: unknown;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The reply's JSON. Throws a `PipelineApiError` for everything that is not a 2xx with JSON; when the caller's signal
 * fires, its reason. A body without a JSON form is a `TypeError`, and nothing is sent.
 */
export async function exchange(endpoint: Endpoint, call: Call): Promise<unknown> {
  call.signal?.throwIfAborted();
  const body = call.body === undefined ? null : JSON.stringify(call.body);
  const silence = new AbortController();
  const watch = watchSilence(endpoint.timeoutMs, () => silence.abort());
  try {
    const reply = await endpoint.fetch(`${endpoint.url}${call.path}`, {
      method: call.method,
      headers: {
        accept: 'application/json',
        authorization: `Bearer ${endpoint.token}`,
        ...(body === null ? {} : { 'content-type': 'application/json' }),
      },
      body,
      // The token goes to the host that was named and to no other.
      redirect: 'error',
      signal: call.signal === undefined ? silence.signal : AbortSignal.any([call.signal, silence.signal]),
    });
    const text = await readText(reply, watch.heard);
    if (!reply.ok) {
      const { status, statusText, headers } = reply;
      throw errorOf({ status, statusText, headers, text }, Date.now());
    }
    const value = readJson(text);
    if (value !== undefined) return value;
    throw new UnexpectedReplyError(`${endpoint.url} answered ${reply.status} without JSON`, { status: reply.status });
  } catch (cause) {
    if (call.signal?.aborted) throw call.signal.reason;
    if (silence.signal.aborted) {
      throw new ConnectionFailedError(`${endpoint.url} was silent for ${endpoint.timeoutMs} ms; raise timeoutMs`, {
        cause,
      });
    }
    // `fetch` and body readers report every failure of the network as a TypeError.
    if (cause instanceof TypeError) {
      throw new ConnectionFailedError(`no complete reply from ${endpoint.url}: ${reasonOf(cause)}`, { cause });
    }
    throw cause;
  } finally {
    watch.stop();
  }
}

/** Piece by piece, so that each piece counts as a sign of life. */
async function readText(reply: Response, heard: () => void): Promise<string> {
  if (reply.body === null) return '';
  const reader = reply.body.getReader();
  const decoder = new TextDecoder();
  let text = '';
  for (;;) {
    heard();
    const piece = await reader.read();
    if (piece.done) return text + decoder.decode();
    text += decoder.decode(piece.value, { stream: true });
  }
}

function watchSilence(limitMs: number | null, onSilence: () => void): { heard: () => void; stop: () => void } {
  if (limitMs === null) return { heard: () => {}, stop: () => {} };
  let timer = setTimeout(onSilence, limitMs);
  return {
    heard: () => {
      clearTimeout(timer);
      timer = setTimeout(onSilence, limitMs);
    },
    stop: () => clearTimeout(timer),
  };
}

/** Node keeps the real reason of "fetch failed" in `cause`. */
function reasonOf(error: Error): string {
  return error.cause instanceof Error && error.cause.message !== '' ? error.cause.message : error.message;
}
