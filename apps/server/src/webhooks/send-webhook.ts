import { lookup as lookupAll } from 'node:dns/promises';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { ApiError } from '@gptj-cloud/protocol';
import { isPublicAddress } from './public-address.ts';

export interface WebhookMessage {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface SendOptions {
  /** Allow targets in private networks and on this machine. */
  readonly allowPrivate: boolean;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Default: the system's resolver. */
  readonly resolve?: (hostname: string) => Promise<readonly { readonly address: string; readonly family: number }[]>;
}

/** Delivers a message; the status of the reply. Throws `WebhookSendError`. */
export type SendWebhook = (message: WebhookMessage, options: SendOptions) => Promise<number>;

/** A message could not be delivered; the text is for the owner of the webhook. */
export class WebhookSendError extends Error {
  override readonly name = 'WebhookSendError';
  readonly code = 'webhook_not_sent';
}

/**
 * Check the URL of a webhook without a DNS lookup: http or https, no password, no literal private address. Throws
 * `webhook_target_refused`.
 */
export function checkWebhookUrl(text: string, { allowPrivate }: Pick<SendOptions, 'allowPrivate'>): void {
  const refuse = (reason: string): ApiError =>
    new ApiError('webhook_target_refused', { target: text.slice(0, 200), reason });
  if (!URL.canParse(text)) throw refuse('expected a URL');
  const url = new URL(text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw refuse('expected http or https');
  if (url.username !== '' || url.password !== '') throw refuse('a user name and password in a URL would be logged');
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
  if (isIP(host) !== 0 && !options.allowPrivate && !isPublicAddress(host)) throw refusal(host);
  const timeout = AbortSignal.timeout(options.timeoutMs);
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
  return await new Promise<number>((resolve, reject) => {
    const fail = (cause: Error): void => {
      const reason = timeout.aborted ? `no reply within ${options.timeoutMs / 1000} s` : cause.message;
      reject(cause instanceof WebhookSendError ? cause : new WebhookSendError(reason.slice(0, 500), { cause }));
    };
    const request = send(url, {
      method: 'POST',
      agent: false,
      headers: { ...message.headers, 'content-length': Buffer.byteLength(message.body) },
      lookup: checkedLookup(options),
      signal: AbortSignal.any([timeout, options.signal]),
    });
    request.on('error', fail);
    request.on('response', (response) => {
      resolve(response.statusCode ?? 0);
      response.destroy();
    });
    request.end(message.body);
  });
}

/** A lookup that fails when any address of the name is not public: otherwise the resolver's order would decide. */
function checkedLookup({ allowPrivate, resolve = resolveName }: SendOptions): LookupFunction {
  return (hostname, { all }, callback) => {
    resolve(hostname).then(
      (addresses) => {
        const [first] = addresses;
        const refused = allowPrivate ? undefined : addresses.find(({ address }) => !isPublicAddress(address));
        if (first === undefined) callback(new WebhookSendError(`${hostname} has no address`), '', 0);
        else if (refused !== undefined) callback(refusal(refused.address), '', 0);
        else if (all === true) callback(null, [...addresses]);
        else callback(null, first.address, first.family);
      },
      (error: unknown) => callback(error instanceof Error ? error : new Error(String(error)), '', 0),
    );
  };
}

async function resolveName(
  hostname: string,
): Promise<readonly { readonly address: string; readonly family: number }[]> {
  return await lookupAll(hostname, { all: true });
}

function refusal(address: string): WebhookSendError {
  return new WebhookSendError(`${address} is not on the public internet`);
}

/** Without the brackets of IPv6. */
function hostOf(url: URL): string {
  return url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname;
}

function isLocalName(host: string): boolean {
  return /(^|\.)(localhost|local|internal)\.?$/.test(host);
}
