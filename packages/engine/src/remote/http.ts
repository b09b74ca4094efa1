/** HTTP to the server of an engine. Redirects are not followed: they would carry prompts and the key elsewhere. */
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { RemoteFailure } from './remote-failure.ts';

/** Where the server is. */
export interface RemoteAddress {
  /** Its base, before `/v1`. Ends with a slash. */
  readonly url: URL;
  /** Sent as bearer token; null: none. */
  readonly key: string | null;
}

export interface RemoteRequest {
  readonly method: 'GET' | 'POST';
  /** Below the base, without a slash before it. */
  readonly path: string;
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly signal: AbortSignal;
}

/** A reply with a status below 300. */
export interface RemoteReply {
  readonly body: AsyncIterable<Uint8Array>;
  /** Close the connection: the server stops what it computes for it. */
  destroy(): void;
}

/** An error reply is read as far as its message needs. */
const MAX_ERROR_BYTES = 64 * 1024;
/** A context of tokens with twenty log-probabilities each is a few megabytes. */
const MAX_JSON_BYTES = 128 * 2 ** 20;

/**
 * The base of a server: the address in its settings, with or without `/v1` at its end. Null where it is none: not http(s),
 * or with a password, a query or a fragment.
 */
export function remoteBase(text: string): URL | null {
  if (!URL.canParse(text)) return null;
  const url = new URL(text);
  const isPlain = url.username === '' && url.password === '' && url.search === '' && url.hash === '';
  if (!/^https?:$/.test(url.protocol) || !isPlain) return null;
  const parts = url.pathname.split('/').filter((part) => part !== '');
  if (parts.at(-1) === 'v1') parts.pop();
  url.pathname = parts.length === 0 ? '/' : `/${parts.join('/')}/`;
  return url;
}

/** Send a request. Rejects with `RemoteFailure` for every status from 300 on, and with the signal's reason. */
export async function send(address: RemoteAddress, request: RemoteRequest): Promise<RemoteReply> {
  const { method, path, body, signal } = request;
  signal.throwIfAborted();
  const url = new URL(path, address.url);
  const payload = body === undefined ? null : Buffer.from(JSON.stringify(body));
  const headers = {
    accept: 'application/json, text/event-stream',
    ...(address.key === null ? {} : { authorization: `Bearer ${address.key}` }),
    ...(payload === null ? {} : { 'content-type': 'application/json', 'content-length': String(payload.length) }),
  };
  const start = url.protocol === 'https:' ? requestHttps : requestHttp;
  return await new Promise((resolve, reject) => {
    const outgoing = start(url, { method, headers, signal });
    outgoing.on('error', (cause) => reject(signal.aborted ? signal.reason : unreachable(url, cause)));
    outgoing.on('response', (incoming) => {
      const status = incoming.statusCode ?? 0;
      // An abort after the head ends the body with an error, which its reader gets.
      incoming.on('error', () => {});
      if (status >= 200 && status < 300) {
        resolve({ body: incoming, destroy: () => incoming.destroy() });
        return;
      }
      void readText(incoming, MAX_ERROR_BYTES)
        .catch(() => '')
        .then((text) => {
          incoming.destroy();
          // A server, or a proxy before it, may show what it was sent.
          const shown = address.key === null ? text : text.replaceAll(address.key, '…');
          reject(RemoteFailure.ofStatus(status, shown, incoming.headers['retry-after']));
        });
    });
    outgoing.end(payload ?? undefined);
  });
}

/** The JSON of a reply. */
export async function sendForJson(address: RemoteAddress, request: RemoteRequest): Promise<unknown> {
  const text = await sendForText(address, request);
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new RemoteFailure('broken', `${request.path}: expected JSON, got ${JSON.stringify(text.slice(0, 80))}`);
  }
}

export async function sendForText(address: RemoteAddress, request: RemoteRequest): Promise<string> {
  const reply = await send(address, request);
  try {
    return await readText(reply.body, MAX_JSON_BYTES);
  } catch (error) {
    if (request.signal.aborted) throw request.signal.reason;
    throw error instanceof RemoteFailure ? error : cut(error);
  } finally {
    reply.destroy();
  }
}

async function readText(body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new RemoteFailure('broken', `expected a reply of at most ${maxBytes} bytes, got more`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** The connection ended within a reply. */
export function cut(cause: unknown): RemoteFailure {
  return new RemoteFailure('cut', 'the connection ended before the reply was complete', { cause });
}

function unreachable(url: URL, cause: Error): RemoteFailure {
  return new RemoteFailure('unreachable', `${url.origin} cannot be reached: ${cause.message}`, { cause });
}
