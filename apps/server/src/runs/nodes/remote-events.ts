/** The events of a run, read from the node that executes it. */
import { parseRunEvent } from '@gptj-cloud/protocol';
import type { EventReader } from '../run-events.ts';
import type { SignedRequest } from './node-signature.ts';
import { type NodeStream, openNodeStream } from './node-stream.ts';

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
  readonly node: string;
  readonly run: RunOfProject;
  readonly signed: SignedRequest;
  /** The id of the last event that was read. */
  readonly after: string | null;
  readonly signal: AbortSignal;
}

interface RunOfProject {
  readonly projectId: string;
  readonly runId: string;
}

export type OpenRemoteEvents = (request: RemoteRequest) => Promise<RemoteEvents>;

/** Statuses of a node that has no events to send. */
export const NOT_KEPT = 204;
export const NOT_YET = 202;

/** The address of the events of a run on a node. */
export function eventsPath({ runId, projectId }: RunOfProject): string {
  return `/internal/runs/${encodeURIComponent(runId)}/events?project_id=${encodeURIComponent(projectId)}`;
}

export const openRemoteEvents: OpenRemoteEvents = async ({ run, after, ...request }) => {
  const reply = await openNodeStream({
    ...request,
    path: eventsPath(run),
    headers: after === null ? {} : { 'last-event-id': after },
  });
  if (reply.type === 'stream') return { type: 'reader', reader: toReader(reply.stream) };
  if (reply.type === 'unreachable') return reply;
  if (reply.status === NOT_KEPT) return { type: 'not_kept' };
  if (reply.status === NOT_YET) return { type: 'not_yet' };
  return { type: 'unreachable', reason: `expected status 200, got ${reply.status}` };
};

function toReader(stream: NodeStream): EventReader {
  const reader: EventReader = {
    async next() {
      const received = await stream.next();
      if (received === null) return null;
      const event = parseRunEvent(received.event, JSON.parse(received.data));
      // Of a newer version of this program.
      return event === null ? await reader.next() : { id: received.id, event, data: received.data };
    },
    close: () => stream.close(),
  };
  return reader;
}
