/** Requests of this page to its own server, with the session's cookie. */
import { activeCsrfToken, activeProject } from './active.ts';

/** A reply outside 2xx. `problemOf` of ui/ reads it like errors of the SDK. */
class RefusedError extends Error {
  override readonly name = 'RefusedError';
  readonly status: number;
  readonly detail: unknown;
  readonly requestId: string | null;
  readonly retryAfterMs: number | null;

  constructor(reply: Response, detail: unknown) {
    super(typeof detail === 'string' ? detail : `${reply.status} ${reply.statusText}`);
    this.status = reply.status;
    this.detail = detail;
    this.requestId = reply.headers.get('x-request-id');
    const seconds = Number(reply.headers.get('retry-after'));
    this.retryAfterMs = seconds > 0 ? seconds * 1000 : null;
  }
}

export interface SendOptions {
  readonly body?: unknown;
  readonly signal?: AbortSignal | undefined;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The reply's JSON; undefined for a reply without a body. Throws for a status outside 2xx. */
export async function send<Reply>(
  method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE',
  path: string,
  { body, signal, headers }: SendOptions = {},
): Promise<Reply> {
  const csrfToken = activeCsrfToken();
  const projectId = activeProject();
  const reply = await fetch(path, {
    method,
    credentials: 'same-origin',
    redirect: 'error',
    headers: {
      accept: 'application/json',
      ...(csrfToken === null || method === 'GET' ? {} : { 'x-csrf-token': csrfToken }),
      ...(projectId === null ? {} : { 'x-project-id': projectId }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    body: body === undefined ? null : JSON.stringify(body),
    ...(signal === undefined ? {} : { signal }),
  });
  const text = await reply.text();
  const value = parse(text);
  if (!reply.ok) throw new RefusedError(reply, isObject(value) ? value.detail : text);
  return value as Reply;
}

function parse(text: string): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    // A proxy's page: the status is stated, the page is not.
    return undefined;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
