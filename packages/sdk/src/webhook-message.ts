/** Messages of webhooks, which follow Standard Webhooks (standardwebhooks.com), and the proof of their sender. */
import { dateAt, objectAt, oneOf, stringAt } from './fields.ts';
import { type JsonObject, readJson } from './json.ts';
import type { WebhookEvent } from './reply-types.ts';
import { parseRun, type Run } from './run.ts';

/** Why a message was refused. */
export type WebhookFault =
  /** `webhook-id`, `webhook-timestamp` or `webhook-signature` is missing or has another form. */
  | 'headers_invalid'
  /** The message was sent too long ago, or its time lies in the future: a replay, or a wrong clock. */
  | 'time_out_of_tolerance'
  /** No signature fits: another secret, a changed message, or a body that was parsed and written again. */
  | 'signature_wrong'
  /** The signature fits, and the body is no message of this API. */
  | 'body_invalid';

/** A message that is not from the server that has the secret, or that is too old. Answer it with status 400. */
export class WebhookVerificationError extends Error {
  override readonly name = 'WebhookVerificationError';
  readonly code: WebhookFault;
  constructor(code: WebhookFault, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

interface VerifiedMessage {
  /** The same for every attempt to deliver this message: ignore an id that was dealt with. */
  readonly id: string;
  /** When the event happened. */
  readonly createdAt: Date;
  /** What the event is about, as the body has it. */
  readonly data: JsonObject;
}

/** A verified message: a run has ended, or the owner of the webhook sent a test. */
export type WebhookMessage =
  | (VerifiedMessage & { readonly type: WebhookEvent; readonly run: Run })
  | (VerifiedMessage & { readonly type: 'webhook.test' });

export interface VerifyOptions {
  /** The `whsec_…` secret of the webhook; during a change of secrets both. */
  readonly secret: string | readonly string[];
  /** Maximum difference between the time of the message and this clock, in seconds. Default 300. */
  readonly toleranceSeconds?: number;
  /** The time of this clock. Default: now. */
  readonly now?: Date;
}

/** Headers of a request: those of `fetch`, or an object, as Node's `request.headers` is. */
export type HeaderSource = Headers | Readonly<Record<string, string | readonly string[] | undefined>>;

const PREFIX = 'whsec_';
const MAX_SIGNATURES = 16;

/**
 * Verify that a message of a webhook is from the server and is recent, and read it. `body` is the text or the bytes of the
 * request as they arrived, not an object made of them. Signatures are compared in constant time by Web Crypto.
 *
 * Throws `WebhookVerificationError` for a message to refuse, and `TypeError` for a secret that is none.
 */
export async function verifyWebhook(
  body: string | Uint8Array<ArrayBuffer>,
  headers: HeaderSource,
  { secret, toleranceSeconds = 300, now = new Date() }: VerifyOptions,
): Promise<WebhookMessage> {
  const keys = await Promise.all((typeof secret === 'string' ? [secret] : secret).map(importKey));
  if (keys.length === 0) throw new TypeError('expected at least one secret');
  const id = headerOf(headers, 'webhook-id');
  const time = headerOf(headers, 'webhook-timestamp');
  const signatures = headerOf(headers, 'webhook-signature').split(' ', MAX_SIGNATURES).flatMap(signatureBytes);
  if (!/^\d{1,12}$/.test(time)) throw invalidHeader('webhook-timestamp', 'seconds since 1970');
  const ageSeconds = now.getTime() / 1000 - Number(time);
  // The comparison is false for NaN, which must not accept every time.
  if (!(Math.abs(ageSeconds) <= toleranceSeconds)) {
    const message = `the message is ${Math.round(ageSeconds)} s old, expected at most ${toleranceSeconds} s: it was sent again, or a clock is wrong`;
    throw new WebhookVerificationError('time_out_of_tolerance', message);
  }
  if (!(await fitsOne(keys, signatures, signedBytes(id, time, body)))) {
    throw new WebhookVerificationError(
      'signature_wrong',
      'no signature fits: check that secret belongs to this webhook and that body is the unchanged body of the request',
    );
  }
  return parseMessage(typeof body === 'string' ? body : new TextDecoder().decode(body));
}

/** Every pair is compared, so that the time does not tell which one fits. */
async function fitsOne(
  keys: readonly CryptoKey[],
  signatures: readonly Uint8Array<ArrayBuffer>[],
  signed: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  const pairs = keys.flatMap((key) =>
    signatures.map((signature) => crypto.subtle.verify('HMAC', key, signature, signed)),
  );
  return (await Promise.all(pairs)).includes(true);
}

function signedBytes(id: string, time: string, body: string | Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const head = new TextEncoder().encode(`${id}.${time}.`);
  const content = typeof body === 'string' ? new TextEncoder().encode(body) : body;
  const signed = new Uint8Array(head.length + content.length);
  signed.set(head);
  signed.set(content, head.length);
  return signed;
}

function parseMessage(text: string): WebhookMessage {
  try {
    const raw = objectAt(readJson(text), 'the body');
    const type = oneOf('run.completed', 'run.failed', 'webhook.test')(raw.type, 'type');
    const data = objectAt(raw.data, 'data');
    const message = { id: stringAt(raw.id, 'id'), createdAt: dateAt(raw.created_at, 'created_at'), data };
    return type === 'webhook.test' ? { ...message, type } : { ...message, type, run: parseRun(data) };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new WebhookVerificationError('body_invalid', `expected a message of a webhook: ${reason}`, { cause });
  }
}

async function importKey(secret: string): Promise<CryptoKey> {
  const key = typeof secret === 'string' && secret.startsWith(PREFIX) ? base64Bytes(secret.slice(PREFIX.length)) : null;
  if (key === null || key.length === 0) {
    throw new TypeError('expected secret to be the whsec_… secret of the webhook; is the variable that holds it set?');
  }
  return await crypto.subtle.importKey('raw', key, { name: 'HMAC', hash: 'SHA-256' }, false, ['verify']);
}

/** Signatures of other versions, such as `v1a`, are left out. */
function signatureBytes(entry: string): readonly Uint8Array<ArrayBuffer>[] {
  const [version, value = ''] = entry.split(',', 2);
  const bytes = version === 'v1' ? base64Bytes(value) : null;
  return bytes === null ? [] : [bytes];
}

/** Null for text that is not base64. */
function base64Bytes(text: string): Uint8Array<ArrayBuffer> | null {
  try {
    return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  } catch {
    return null;
  }
}

function headerOf(headers: HeaderSource, name: string): string {
  const value = headers instanceof Headers ? headers.get(name) : namedValue(headers, name);
  if (typeof value === 'string' && value !== '') return value;
  throw invalidHeader(name, 'a value; pass the headers of the request');
}

/** Names of headers have any case. One that is repeated has the form of a list in Node. */
function namedValue(
  headers: Readonly<Record<string, string | readonly string[] | undefined>>,
  name: string,
): string | undefined {
  const found = Object.entries(headers).find(([key]) => key.toLowerCase() === name)?.[1];
  return typeof found === 'string' ? found : found?.join(' ');
}

function invalidHeader(name: string, expected: string): WebhookVerificationError {
  return new WebhookVerificationError('headers_invalid', `expected the header ${name} to have ${expected}`);
}
