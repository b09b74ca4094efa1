/** Posts JSON to a server that may be slow, busy or hostile. */
import { setTimeout as sleep } from 'node:timers/promises';
import { EvaluationError } from '../evaluation-error.ts';

export interface PostOptions {
  readonly url: string;
  /** Sent as a bearer token; null: none. */
  readonly token: string | null;
  readonly signal: AbortSignal;
  /** Of one attempt. Default 10 minutes: a batch of long prompts on one processor. */
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 600_000;
const MAX_ATTEMPTS = 6;
const FIRST_PAUSE_MS = 500;
const MAX_PAUSE_MS = 30_000;
/** Log-probabilities of a batch are a few megabytes. */
const MAX_REPLY_BYTES = 64 * 1024 * 1024;

/** The parsed reply. Busy servers and lost connections are tried again. Throws `server_failed` and `reply_invalid`. */
export async function postJson(body: unknown, options: PostOptions): Promise<unknown> {
  for (let attempt = 1; ; attempt++) {
    const outcome = await tryPost(body, options);
    if ('value' in outcome) return outcome.value;
    if (!outcome.isTemporary || attempt >= MAX_ATTEMPTS) throw outcome.error;
    const pauseMs = Math.min(MAX_PAUSE_MS, outcome.pauseMs ?? FIRST_PAUSE_MS * 2 ** (attempt - 1));
    await sleep(pauseMs, undefined, { signal: options.signal });
  }
}

type Outcome =
  | { readonly value: unknown }
  | { readonly error: EvaluationError; readonly isTemporary: boolean; readonly pauseMs: number | null };

async function tryPost(body: unknown, { url, token, signal, timeoutMs = TIMEOUT_MS }: PostOptions): Promise<Outcome> {
  const limited = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify(body),
      // A redirect would take the token to another server.
      redirect: 'error',
      signal: limited,
    });
    const text = await readText(response, url);
    if (response.ok) return { value: parseReply(text, url) };
    const error = new EvaluationError(
      'server_failed',
      `${url}: expected status 200, got ${response.status}: ${text.slice(0, 300)}`,
    );
    const isTemporary = response.status === 429 || response.status >= 500;
    return { error, isTemporary, pauseMs: retryAfterMs(response) };
  } catch (cause) {
    signal.throwIfAborted();
    if (cause instanceof EvaluationError) return { error: cause, isTemporary: false, pauseMs: null };
    const reason = cause instanceof Error ? (cause.cause instanceof Error ? cause.cause.message : cause.message) : '';
    const error = new EvaluationError('server_failed', `${url}: no reply: ${reason}`, { cause });
    return { error, isTemporary: true, pauseMs: null };
  }
}

async function readText(response: Response, url: string): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of response.body ?? []) {
    size += part.length;
    if (size > MAX_REPLY_BYTES) {
      throw new EvaluationError(
        'reply_invalid',
        `${url}: expected a reply of at most ${MAX_REPLY_BYTES} bytes, got more`,
      );
    }
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

function parseReply(text: string, url: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new EvaluationError('reply_invalid', `${url}: expected JSON, got ${text.slice(0, 80)}`, { cause });
  }
}

function retryAfterMs(response: Response): number | null {
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
  return seconds >= 0 ? seconds * 1000 : null;
}
