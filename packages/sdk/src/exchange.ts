/** A request and its complete reply, retried when the request is idempotent. */
import { type Call, type Connection, connect, type Endpoint } from './connection.ts';
import { ConnectionFailedError, NotFoundError, UnexpectedReplyError } from './errors.ts';
import { readJson } from './json.ts';
import { type CallOptions, type ConfirmedOptions, confirmationHeaders } from './options.ts';
import { withRetries } from './retry.ts';

/** The reply's JSON. Throws like `connect`, and `UnexpectedReplyError` for a success without JSON. */
export async function exchange(endpoint: Endpoint, call: Call): Promise<unknown> {
  return await withReply(endpoint, call, async (connection) => {
    const value = readJson(await textOf(connection));
    if (value !== undefined) return value;
    const { status } = connection.reply;
    throw new UnexpectedReplyError(`${endpoint.url} replied with ${status} and no JSON`, { status });
  });
}

/** The reply's text. Throws like `connect`. */
export async function exchangeText(endpoint: Endpoint, call: Call): Promise<string> {
  return await withReply(endpoint, call, textOf);
}

/** A GET whose reply `parse` reads. Throws like {@link exchange}. */
export async function read<Value>(
  endpoint: Endpoint,
  path: string,
  parse: (reply: unknown) => Value,
  { signal }: CallOptions = {},
): Promise<Value> {
  return parse(await exchange(endpoint, { method: 'GET', path, signal }));
}

/** A POST, or another write, whose reply `parse` reads. Throws like {@link exchange}. */
export async function send<Value>(
  endpoint: Endpoint,
  call: Pick<Call, 'path' | 'body' | 'session'> & { readonly method?: 'POST' | 'PATCH' },
  parse: (reply: unknown) => Value,
  { signal, confirmation }: ConfirmedOptions = {},
): Promise<Value> {
  const headers = confirmationHeaders(confirmation);
  return parse(await exchange(endpoint, { method: 'POST', ...call, headers, signal }));
}

/** A POST whose reply says nothing that the caller needs. Throws like `connect`. */
export async function order(
  endpoint: Endpoint,
  call: Pick<Call, 'path' | 'body' | 'session'>,
  { signal, confirmation }: ConfirmedOptions = {},
): Promise<void> {
  await exchangeText(endpoint, { method: 'POST', ...call, headers: confirmationHeaders(confirmation), signal });
}

/** Send a DELETE. A 404 after a lost reply counts as success: the lost request has deleted it. Throws like `connect`. */
export async function remove(
  endpoint: Endpoint,
  path: string,
  { signal, confirmation }: ConfirmedOptions = {},
): Promise<void> {
  const call: Call = { method: 'DELETE', path, signal, headers: confirmationHeaders(confirmation) };
  let wasLost = false;
  await withRetries({ ...endpoint, signal }, async (_, last) => {
    wasLost ||= last instanceof ConnectionFailedError;
    try {
      (await connect(endpoint, call)).close();
    } catch (error) {
      if (!(wasLost && error instanceof NotFoundError)) throw error;
    }
  });
}

async function withReply<Value>(
  endpoint: Endpoint,
  call: Call,
  read: (connection: Connection) => Promise<Value>,
): Promise<Value> {
  const maxRetries = (call.isIdempotent ?? call.method !== 'POST') ? endpoint.maxRetries : 0;
  const { onRetry } = endpoint;
  return await withRetries({ maxRetries, onRetry, signal: call.signal }, async () =>
    read(await connect(endpoint, call)),
  );
}

async function textOf(connection: Connection): Promise<string> {
  let text = '';
  for await (const piece of connection.texts()) text += piece;
  return text;
}
