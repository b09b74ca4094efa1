/** One GET request: redirects by hand, a token for one host alone, status codes as errors. */
import { ModelStoreError } from '../model-store-error.ts';
import { TransientError } from './backoff.ts';
import type { Clock } from './clock.ts';
import { Connection } from './connection.ts';

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
  readonly status: number;
  /** Where the redirects ended. */
  readonly url: string;
  /** A header of the last reply. */
  readonly lastHeader: (name: string) => string | null;
  /** A header of the first reply in the chain that has it: a hub describes a file before it redirects to its storage. */
  readonly header: (name: string) => string | null;
  /** The next piece of the body; null at its end. Throws `TransientError` and `aborted`. */
  readonly read: () => Promise<Uint8Array | null>;
  /** End the connection. Idempotent. */
  readonly close: () => void;
}

const MAX_REDIRECTS = 8;
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
  const connection = new Connection(clock, hostOf(url), signal);
  const chain: Headers[] = [];
  let at = url;
  try {
    for (;;) {
      const response = await connection.wait(() =>
        fetch(at, {
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
        }),
      );
      chain.push(response.headers);
      if (response.status < 300 || response.status > 399) {
        checkReply(response, at, { clock, isDirect: chain.length === 1 });
        return replyOf(response, { connection, url: at, chain });
      }
      discard(response);
      at = redirectTarget(at, response, chain.length);
    }
  } catch (error) {
    connection.close();
    throw describe(url, error);
  }
}

function replyOf(
  response: Response,
  {
    connection,
    url,
    chain,
  }: { readonly connection: Connection; readonly url: string; readonly chain: readonly Headers[] },
): Reply {
  const reader = response.body?.getReader();
  return {
    status: response.status,
    url,
    lastHeader: (name) => response.headers.get(name),
    header: (name) => chain.map((each) => each.get(name)).find((value) => value !== null) ?? null,
    async read() {
      if (reader === undefined) return null;
      try {
        const { done, value } = await connection.wait(() => reader.read());
        return done ? null : value;
      } catch (error) {
        throw describe(url, error);
      }
    },
    close() {
      reader?.cancel().catch(() => {});
      connection.close();
    },
  };
}

/** A body that is not read would keep its connection. */
function discard({ body }: Response): void {
  body?.cancel().catch(() => {});
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

function describe(url: string, error: unknown): unknown {
  if (error instanceof TransientError || error instanceof ModelStoreError) return error;
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
