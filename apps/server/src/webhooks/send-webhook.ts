import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { ApiError } from '@gptj-cloud/protocol';
import { isPublicAddress } from './public-address.ts';
import { type Resolve, resolveAnyHost, resolvePublicHost } from './resolve-host.ts';

export interface WebhookMessage {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface SendOptions {
  /** Allow targets in private networks and on this machine. */
  readonly allowPrivate: boolean;
  /** Time to resolve the name, connect and agree on TLS. */
  readonly connectTimeoutMs: number;
  /** Time until the status of the reply. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Default: DNS, and with `allowPrivate` the names of the system as well. */
  readonly resolve?: Resolve;
}

/** Delivers a message; the status of the reply. Throws `WebhookSendError`. */
export type SendWebhook = (message: WebhookMessage, options: SendOptions) => Promise<number>;

/**
 * A message could not be delivered. The text is for the owner of the webhook: it contains no address and no name, which
 * could be those of the network of the server.
 */
export class WebhookSendError extends Error {
  override readonly name = 'WebhookSendError';
  readonly code = 'webhook_not_sent';
}

/** For an address that webhooks must not reach, and for a name without an address: a difference would list internal names. */
const REFUSED = 'refused';
const WELL_KNOWN_PORTS: readonly number[] = [80, 443];
const MAX_SYSTEM_PORT = 1023;

/**
 * Check the URL of a webhook without a DNS lookup: http or https, a port of the web or above 1023, no password, no literal
 * private address. Throws `webhook_target_refused`.
 */
export function checkWebhookUrl(text: string, { allowPrivate }: Pick<SendOptions, 'allowPrivate'>): void {
  const refuse = (reason: string): ApiError =>
    new ApiError('webhook_target_refused', { target: text.slice(0, 200), reason });
  if (!URL.canParse(text)) throw refuse('expected a URL');
  const url = new URL(text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw refuse('expected http or https');
  if (url.username !== '' || url.password !== '') throw refuse('a user name and password in a URL would be logged');
  if (!isAllowedPort(url)) throw refuse('expected port 80, 443 or one above 1023');
  const host = hostOf(url);
  if (!allowPrivate && (isIP(host) !== 0 ? !isPublicAddress(host) : isLocalName(host))) {
    throw refuse('expected a host on the public internet');
  }
}

/**
 * POST a message; the status of the reply, whose body is not read. The connection is made to the address that was
 * checked, so a DNS answer that changes in between (rebinding) has no effect. Redirects are not followed.
 *
 * Throws `WebhookSendError`.
 */
export async function sendWebhook(message: WebhookMessage, options: SendOptions): Promise<number> {
  const url = new URL(message.url);
  const host = hostOf(url);
  // Checked again: the URL may have been stored by a version with other rules, or under other settings.
  if (!isAllowedPort(url) || (isIP(host) !== 0 && !options.allowPrivate && !isPublicAddress(host))) {
    throw new WebhookSendError(REFUSED);
  }
  const isSecure = url.protocol === 'https:';
  const timeout = AbortSignal.timeout(options.timeoutMs);
  const connect = new AbortController();
  const connectTimer = setTimeout(() => connect.abort(), options.connectTimeoutMs);
  try {
    return await new Promise<number>((resolve, reject) => {
      const request = (isSecure ? httpsRequest : httpRequest)(url, {
        method: 'POST',
        agent: false,
        headers: { ...message.headers, 'content-length': Buffer.byteLength(message.body) },
        lookup: checkedLookup(options, connect.signal),
        signal: AbortSignal.any([timeout, options.signal, connect.signal]),
      });
      request.on('socket', (socket) => {
        socket.once(isSecure ? 'secureConnect' : 'connect', () => clearTimeout(connectTimer));
      });
      request.on('error', (cause) => reject(sendError(cause, timeout, connect.signal, options)));
      request.on('response', (response) => {
        resolve(response.statusCode ?? 0);
        response.destroy();
      });
      request.end(message.body);
    });
  } finally {
    clearTimeout(connectTimer);
  }
}

function sendError(
  cause: Error,
  timeout: AbortSignal,
  connect: AbortSignal,
  { connectTimeoutMs, timeoutMs }: SendOptions,
): WebhookSendError {
  if (cause instanceof WebhookSendError) return cause;
  const reason = connect.aborted
    ? `no connection within ${connectTimeoutMs / 1000} s`
    : timeout.aborted
      ? `no reply within ${timeoutMs / 1000} s`
      : `the connection failed: ${errorCode(cause)}`;
  return new WebhookSendError(reason, { cause });
}

/** Only the code, such as ECONNREFUSED: the message has addresses. */
function errorCode(error: Error): string {
  return 'code' in error && typeof error.code === 'string' && /^[A-Z0-9_]{1,60}$/.test(error.code)
    ? error.code
    : 'unknown error';
}

/** A lookup that fails when any address of the name is not public: otherwise the resolver's order would decide. */
function checkedLookup(options: SendOptions, signal: AbortSignal): LookupFunction {
  const { allowPrivate, resolve = allowPrivate ? resolveAnyHost : resolvePublicHost } = options;
  return (hostname, { all }, callback) => {
    resolve(hostname, signal).then(
      (addresses) => {
        const [first] = addresses;
        const isRefused = !allowPrivate && addresses.some(({ address }) => !isPublicAddress(address));
        if (first === undefined || isRefused) callback(new WebhookSendError(REFUSED), '', 0);
        else if (all === true) callback(null, [...addresses]);
        else callback(null, first.address, first.family);
      },
      (error: unknown) => callback(error instanceof Error ? error : new Error(String(error)), '', 0),
    );
  };
}

function isAllowedPort({ port }: URL): boolean {
  return port === '' || Number(port) > MAX_SYSTEM_PORT || WELL_KNOWN_PORTS.includes(Number(port));
}

/** Without the brackets of IPv6. */
function hostOf(url: URL): string {
  return url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname;
}

function isLocalName(host: string): boolean {
  return /(^|\.)(localhost|local|internal)\.?$/.test(host);
}
