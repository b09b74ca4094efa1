/** Options of the client, and their checks. */
import { environmentVariable } from './environment.ts';
import type { RetryNotice } from './retry.ts';

export interface ConnectionOptions {
  /**
   * Address of the server. Default: with `session` that of the page, else the environment variable `PIPELINE_API_URL`, else
   * `http://127.0.0.1:8080`.
   */
  readonly url?: string | undefined;
  /**
   * Maximum time until the first byte and between two bytes of a reply; null for no limit. Default 60 000. It does not limit
   * the length of a run: the server sends a byte every few seconds during the run.
   */
  readonly timeoutMs?: number | null | undefined;
  /**
   * Maximum number of retries of an idempotent request after 429, 503 or a broken connection. Default 2. Delays grow from
   * half a second to 8 s, and follow Retry-After up to a minute.
   */
  readonly maxRetries?: number | undefined;
  /** Called before the client waits to send a request again: a program can say why it waits. Default: nothing. */
  readonly onRetry?: ((notice: RetryNotice) => void) | undefined;
  /** Default: the global `fetch`. */
  readonly fetch?: typeof globalThis.fetch | undefined;
}

export interface TokenOptions extends ConnectionOptions {
  /**
   * API token. Default: the environment variable `PIPELINE_API_TOKEN`. `token: undefined` is refused, for a variable that is
   * not set must not choose another token.
   */
  readonly token?: string;
  readonly session?: undefined;
  readonly projectId?: undefined;
}

/** For pages in a browser, whose cookie proves who sends a request. Register or sign in with `auth`. */
export interface SessionOptions extends ConnectionOptions {
  readonly session: true;
  /** The project in which requests act. Default: the first one of the user. */
  readonly projectId?: string | null;
  readonly token?: undefined;
}

export type PipelineCloudOptions = TokenOptions | SessionOptions;

const DEFAULT_URL = 'http://127.0.0.1:8080';

/** The token of a client without a session. Throws `TypeError`. */
export function chooseToken(options: PipelineCloudOptions): string {
  const where = 'pass token, or set PIPELINE_API_TOKEN in the environment';
  if ('token' in options && options.token === undefined) {
    throw new TypeError(
      `expected token to be an API token, got undefined: is the variable that holds it set? (${where})`,
    );
  }
  const token = options.token ?? environmentVariable('PIPELINE_API_TOKEN');
  if (token === undefined) {
    throw new TypeError(`expected an API token: ${where}; a page of the server itself passes session: true`);
  }
  if (typeof token !== 'string' || !/^[\x21-\x7e]+$/.test(token)) {
    throw new TypeError(
      'expected token to be printable ASCII without spaces; check it for a line break or a missing value',
    );
  }
  return token;
}

/** The address without a trailing slash. Throws `TypeError`. */
export function chooseUrl({ url, session }: PipelineCloudOptions): string {
  if (url !== undefined) return checkUrl(url, 'url');
  if (session === true) return checkUrl(pageOrigin(), 'the address of the page');
  return checkUrl(environmentVariable('PIPELINE_API_URL') ?? DEFAULT_URL, 'PIPELINE_API_URL');
}

/** Throws `TypeError`. */
export function checkRetries(maxRetries: number): number {
  if (Number.isSafeInteger(maxRetries) && maxRetries >= 0) return maxRetries;
  throw new TypeError(`expected maxRetries to be an integer of at least 0, got ${maxRetries}`);
}

/** Throws `TypeError`: `setTimeout` would read NaN as 0. */
export function checkTimeout(timeoutMs: number | null): number | null {
  if (timeoutMs === null || timeoutMs > 0) return timeoutMs;
  throw new TypeError(`expected timeoutMs to be milliseconds above 0, or null for no limit; got ${timeoutMs}`);
}

/** Pages of a server send their requests to it. */
function pageOrigin(): string {
  const page: { readonly origin: string } | undefined = globalThis.location;
  if (page !== undefined) return page.origin;
  throw new TypeError('expected url: a client with a session has a default address in browsers only');
}

function checkUrl(url: string, name: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : null;
  if (parsed === null || !['http:', 'https:'].includes(parsed.protocol)) {
    throw new TypeError(`expected ${name} to be an http:// or https:// address, got ${JSON.stringify(url)}`);
  }
  if (parsed.username !== '' || parsed.password !== '' || parsed.search !== '' || parsed.hash !== '') {
    throw new TypeError(`expected ${name} without user name, query or fragment`);
  }
  let end = parsed.href.length;
  while (parsed.href[end - 1] === '/') end--;
  return parsed.href.slice(0, end);
}
