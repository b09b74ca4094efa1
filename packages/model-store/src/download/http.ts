/** One GET request: redirects by hand, a token for one host alone, status codes as errors. */
import { ModelStoreError } from '../model-store-error.ts';
import { TransientError } from './backoff.ts';
import type { Clock } from './clock.ts';

/** The part of `fetch` that downloads use. */
export type Fetch = (
  url: string,
  init: {
    readonly headers: Readonly<Record<string, string>>;
    readonly redirect: 'manual';
    readonly signal: AbortSignal;
  },
) => Promise<Response>;

export interface HttpOptions {
  readonly fetch: Fetch;
  readonly clock: Clock;
  /** Sent as a bearer token to this origin and no other. */
  readonly credential: { readonly origin: string; readonly token: string } | null;
  readonly onWait: (reason: string, ms: number) => void;
}

export interface Reply {
  /** Status 2xx; the body has not been read. */
  readonly response: Response;
  /** Where the redirects ended. */
  readonly url: string;
  /** A header of the first reply in the chain that has it: a hub describes a file before it redirects to its storage. */
  readonly header: (name: string) => string | null;
  /** End the connection. Idempotent. */
  readonly cancel: () => void;
  /** To be called for every piece of the body; the connection is cut when it is not called for `STALL_MS`. */
  readonly alive: () => void;
  /** Why the body ended with an error, when the server was silent; else the error itself. */
  readonly explain: (error: unknown) => unknown;
}

const MAX_REDIRECTS = 8;
/** A connection without a byte for this long counts as dead. */
const STALL_MS = 30_000;
const USER_AGENT = 'gptj-cloud';

/**
 * GET `url`, following redirects. Throws `TransientError` for what may succeed later, and `ModelStoreError`: `not_found`,
 * `not_allowed`, `reply_invalid`, `aborted`.
 */
export async function get(
  { fetch, clock, credential }: HttpOptions,
  url: string,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Reply> {
  const connection = new AbortController();
  const stalled = new TransientError(`${hostOf(url)} sent nothing for ${STALL_MS / 1000} seconds`);
  const cut = (): void => connection.abort(stalled);
  let stopWatch = clock.after(STALL_MS, cut);
  const onAbort = (): void => connection.abort(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  const cancel = (): void => {
    stopWatch();
    signal.removeEventListener('abort', onAbort);
    connection.abort();
  };
  const explain = (error: unknown): unknown => {
    if (signal.aborted) return new ModelStoreError('aborted', 'the download was stopped', { cause: error });
    if (connection.signal.reason === stalled) return stalled;
    return error instanceof TransientError || error instanceof ModelStoreError ? error : connectionError(url, error);
  };
  const chain: Headers[] = [];
  let at = url;
  try {
    for (;;) {
      const response = await fetch(at, {
        headers: {
          'user-agent': USER_AGENT,
          // Compressed bytes have no ranges.
          'accept-encoding': 'identity',
          ...(credential !== null && new URL(at).origin === credential.origin
            ? { authorization: `Bearer ${credential.token}` }
            : {}),
          ...headers,
        },
        redirect: 'manual',
        signal: connection.signal,
      });
      chain.push(response.headers);
      if (response.status < 300 || response.status > 399) {
        checkReply(response, at, { clock, isDirect: chain.length === 1 });
        return {
          response,
          url: at,
          header: (name) => chain.map((each) => each.get(name)).find((value) => value !== null) ?? null,
          cancel,
          alive: () => {
            stopWatch();
            stopWatch = clock.after(STALL_MS, cut);
          },
          explain,
        };
      }
      await response.body?.cancel();
      at = redirectTarget(at, response, chain.length);
    }
  } catch (error) {
    const explained = explain(error);
    cancel();
    throw explained;
  }
}

function redirectTarget(from: string, { headers, status }: Response, count: number): string {
  const location = headers.get('location');
  if (location === null || !URL.canParse(location, from)) {
    throw new ModelStoreError('reply_invalid', `${from}: expected an address to redirect to (${status}), got none`);
  }
  const to = new URL(location, from);
  if (to.protocol !== 'https:' && to.protocol !== new URL(from).protocol) {
    throw new ModelStoreError(
      'reply_invalid',
      `${from}: expected a redirect to https, got ${to.protocol.slice(0, 40)}//${to.host.slice(0, 200)}`,
    );
  }
  if (count > MAX_REDIRECTS) {
    throw new ModelStoreError('reply_invalid', `${from}: expected at most ${MAX_REDIRECTS} redirects, got more`);
  }
  return to.href;
}

/** Access is refused: to an expired link of a storage, or, where the request was not redirected, to the client. */
export class RefusedError extends TransientError {
  readonly isDirect: boolean;

  constructor(message: string, isDirect: boolean) {
    super(message);
    this.isDirect = isDirect;
  }
}

function checkReply(
  response: Response,
  url: string,
  { clock, isDirect }: { readonly clock: Clock; readonly isDirect: boolean },
): void {
  const { status, headers } = response;
  if (status >= 200 && status < 300) {
    const encoding = headers.get('content-encoding');
    if (encoding === null || encoding === 'identity') return;
    throw new ModelStoreError(
      'reply_invalid',
      `${url}: expected bytes as they are, got the encoding ${encoding.slice(0, 40)}`,
    );
  }
  const shown = withoutQuery(url);
  if (status === 404) throw new ModelStoreError('not_found', `${shown}: found nothing (404)`);
  if (status === 401 || status === 403 || status === 410)
    throw new RefusedError(`${shown} answered ${status}`, isDirect);
  if (status === 408 || status === 425 || status === 429 || status >= 500) {
    const retryAfterMs = readRetryAfter(headers.get('retry-after'), clock.now());
    throw new TransientError(`${hostOf(url)} answered ${status}`, retryAfterMs === null ? {} : { retryAfterMs });
  }
  throw new ModelStoreError('reply_invalid', `${shown}: expected the file, got status ${status}`);
}

/** Seconds or a date; null for anything else. */
function readRetryAfter(text: string | null, nowMs: number): number | null {
  if (text === null) return null;
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? null : Math.max(0, date - nowMs);
}

/** Faults that another try will not mend. */
const LASTING = new Set([
  'UND_ERR_HEADERS_OVERFLOW',
  'ERR_INVALID_URL',
  'CERT_HAS_EXPIRED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
]);

function connectionError(url: string, error: unknown): Error {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  const reason = code !== '' ? code : cause instanceof Error ? cause.message : String(cause);
  if (LASTING.has(code) || /certificate/i.test(reason)) {
    return new ModelStoreError('reply_invalid', `${withoutQuery(url)}: the connection is refused (${reason})`, {
      cause: error,
    });
  }
  return new TransientError(`the connection to ${hostOf(url)} failed (${reason.slice(0, 200)})`, { cause: error });
}

/** Links to storage carry signatures, which stay out of messages. */
export function withoutQuery(url: string): string {
  return url.split('?')[0] ?? url;
}

function hostOf(url: string): string {
  return new URL(url).host;
}
