import type { CommandContext } from './command.ts';
import { type ParsedOptions, UsageError } from './options.ts';

export interface ServerRequest {
  readonly method: 'GET' | 'POST' | 'PATCH';
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

const DEFAULT_URL = 'http://127.0.0.1:8080';

/**
 * Send a request to the server of `--url` (else PIPELINE_API_URL, else the default address) with the token of `--token`
 * (else GPTJ_API_TOKEN). Resolves to a successful reply; throws an error with the server's message for any other.
 */
export async function askServer(
  { env, signal }: Pick<CommandContext, 'env' | 'signal'>,
  options: ParsedOptions,
  request: ServerRequest,
): Promise<Response> {
  const url = options.values.get('url') ?? (env.PIPELINE_API_URL?.trim() || DEFAULT_URL);
  const token = options.values.get('token') ?? env.GPTJ_API_TOKEN?.trim() ?? '';
  if (token === '') throw new UsageError('expected an API token: --token, or the environment variable GPTJ_API_TOKEN');
  if (!/^https?:\/\//.test(url) || !URL.canParse(url)) {
    throw new UsageError(`--url: expected http://host:port, got ${JSON.stringify(url)}`);
  }
  const reply = await fetch(new URL(request.path, url), {
    method: request.method,
    headers: { ...request.headers, authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
    signal,
    // A redirect would send the token to another server.
    redirect: 'error',
  }).catch((cause: unknown) => {
    const reason = cause instanceof Error && cause.cause instanceof Error ? cause.cause.message : String(cause);
    throw new Error(`could not reach ${url}: ${reason}`, { cause });
  });
  if (!reply.ok) throw new Error(`${url} refused the request: ${await refusal(reply)}`);
  return reply;
}

async function refusal(reply: Response): Promise<string> {
  const text = await reply.text();
  try {
    const body: unknown = JSON.parse(text);
    const message: unknown = Reflect.get(Object(Reflect.get(Object(body), 'detail')), 'message');
    if (typeof message === 'string') return `${reply.status} ${message}`;
  } catch {
    // The reply is not JSON: report the status alone.
  }
  return `status ${reply.status}`;
}
