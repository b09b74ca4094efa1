/** The events of a run, read from the node that executes it. */
import { parseRunEvent } from '@gptj-cloud/protocol';
import type { EventReader } from '../run-events.ts';
import { type EventsRequest, PROOF_HEADER, type SignedRequest } from './node-signature.ts';
import { readServerEvents } from './read-server-events.ts';

/** What a node answers to the request for the events of a run. */
export type RemoteEvents =
  | { readonly type: 'reader'; readonly reader: EventReader }
  /** The node keeps no events of the run: a client waits for its end alone, or they are too old. */
  | { readonly type: 'not_kept' }
  /** The node has claimed the run and is about to execute it. */
  | { readonly type: 'not_yet' }
  /** The node cannot be reached, or another process is at its address. */
  | { readonly type: 'unreachable'; readonly reason: string };

export interface RemoteRequest {
  /** Of the node, from the store. */
  readonly url: string;
  readonly request: EventsRequest;
  readonly signed: SignedRequest;
  /** The id of the last event that was read. */
  readonly after: string | null;
  readonly signal: AbortSignal;
}

export type OpenRemoteEvents = (request: RemoteRequest) => Promise<RemoteEvents>;

/** Time until the headers of the reply. */
const REPLY_MS = 5_000;
/** The other node sends a comment every 15 s: a longer silence means that it, or the network, is gone. */
const SILENCE_MS = 45_000;

/** Statuses of a node that has no events to send. */
export const NOT_KEPT = 204;
export const NOT_YET = 202;

/** The address of the events of a run on a node. */
export function eventsPath({ runId, projectId }: Pick<EventsRequest, 'runId' | 'projectId'>): string {
  return `/internal/runs/${encodeURIComponent(runId)}/events?project_id=${encodeURIComponent(projectId)}`;
}

/** Ask a node for events. Nothing is read ahead of the reader beyond the buffers of the connection. */
export const openRemoteEvents: OpenRemoteEvents = async ({ url, request, signed, after, signal }) => {
  const silence = new AbortController();
  let timer = setTimeout(() => silence.abort(), REPLY_MS);
  const stop = (): void => {
    clearTimeout(timer);
    silence.abort();
  };
  try {
    const reply = await fetch(new URL(eventsPath(request), url), {
      headers: {
        authorization: signed.authorization,
        accept: 'text/event-stream',
        ...(after === null ? {} : { 'last-event-id': after }),
      },
      redirect: 'error',
      signal: AbortSignal.any([signal, silence.signal]),
    });
    if (!signed.isAnswered(reply.headers.get(PROOF_HEADER))) {
      stop();
      return { type: 'unreachable', reason: `expected node ${request.node}, got status ${reply.status} of another` };
    }
    const { body } = reply;
    if (reply.status !== 200 || body === null) {
      stop();
      if (reply.status === NOT_KEPT) return { type: 'not_kept' };
      if (reply.status === NOT_YET) return { type: 'not_yet' };
      return { type: 'unreachable', reason: `expected status 200, got ${reply.status}` };
    }
    clearTimeout(timer);
    let closed = false;
    const heard = async function* (): AsyncGenerator<Uint8Array, void, undefined> {
      for await (const bytes of body) {
        if (closed) return;
        timer.refresh();
        yield bytes;
      }
    };
    const events = readServerEvents(heard());
    const reader: EventReader = {
      async next() {
        if (closed) return null;
        timer = setTimeout(() => silence.abort(), SILENCE_MS);
        timer.unref();
        try {
          const { value, done } = await events.next();
          if (done === true || closed) return null;
          const event = parseRunEvent(value.event, JSON.parse(value.data));
          // Of a newer version of this program.
          return event === null ? await reader.next() : { id: value.id, event, data: value.data };
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
    return { type: 'reader', reader };
  } catch (error) {
    stop();
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    return { type: 'unreachable', reason: cause instanceof Error ? cause.message : String(cause) };
  }
};
