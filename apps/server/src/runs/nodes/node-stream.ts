/** A stream of server-sent events from another node, which proves that it is a node of the store. */
import { PROOF_HEADER, type SignedRequest } from './node-signature.ts';
import { type ReceivedEvent, readServerEvents } from './read-server-events.ts';

export interface NodeStream {
  /** Wait for the next event; null at the end, or when the stream was closed. Rejects when the connection breaks. */
  next(): Promise<ReceivedEvent | null>;
  /** Idempotent. */
  close(): void;
}

export type NodeReply =
  | { readonly type: 'stream'; readonly stream: NodeStream }
  /** The node answered with another status than 200. */
  | { readonly type: 'status'; readonly status: number }
  /** The node cannot be reached, or another process is at its address. */
  | { readonly type: 'unreachable'; readonly reason: string };

export interface StreamRequest {
  /** Of the node, from the store. */
  readonly url: string;
  readonly path: string;
  readonly node: string;
  readonly signed: SignedRequest;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent with POST. Default: GET without a body. */
  readonly body?: Uint8Array<ArrayBuffer>;
  readonly signal: AbortSignal;
}

/** Time until the headers of the reply. */
const REPLY_MS = 5_000;
/** The other node sends a comment every 15 s: a longer silence means that it, or the network, is gone. */
const SILENCE_MS = 45_000;

/** Ask a node for a stream. Nothing is read ahead of the reader beyond the buffers of the connection. */
export async function openNodeStream(request: StreamRequest): Promise<NodeReply> {
  const { url, path, node, signed, headers = {}, body, signal } = request;
  const silence = new AbortController();
  let timer = setTimeout(() => silence.abort(), REPLY_MS);
  const stop = (): void => {
    clearTimeout(timer);
    silence.abort();
  };
  try {
    const reply = await fetch(new URL(path, url), {
      headers: { ...headers, ...signed.headers, accept: 'text/event-stream' },
      ...(body === undefined ? {} : { method: 'POST', body }),
      redirect: 'error',
      signal: AbortSignal.any([signal, silence.signal]),
    });
    if (!signed.isAnswered(reply.headers.get(PROOF_HEADER))) {
      stop();
      return { type: 'unreachable', reason: `expected node ${node}, got status ${reply.status} of another` };
    }
    if (reply.status !== 200 || reply.body === null) {
      stop();
      return { type: 'status', status: reply.status };
    }
    clearTimeout(timer);
    const received = reply.body;
    let closed = false;
    const heard = async function* (): AsyncGenerator<Uint8Array, void, undefined> {
      for await (const bytes of received) {
        if (closed) return;
        timer.refresh();
        yield bytes;
      }
    };
    const events = readServerEvents(heard());
    const stream: NodeStream = {
      async next() {
        if (closed) return null;
        timer = setTimeout(() => silence.abort(), SILENCE_MS);
        timer.unref();
        try {
          const { value, done } = await events.next();
          return done === true || closed ? null : value;
        } catch (error) {
          if (closed) return null;
          throw error;
        } finally {
          clearTimeout(timer);
        }
      },
      close() {
        closed = true;
        stop();
      },
    };
    return { type: 'stream', stream };
  } catch (error) {
    stop();
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    return { type: 'unreachable', reason: cause instanceof Error ? cause.message : String(cause) };
  }
}
