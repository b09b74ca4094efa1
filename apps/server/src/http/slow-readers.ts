import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { onReplyEnd } from './reply-end.ts';

export interface ReaderPace {
  /** 0: every reader is fast enough. */
  readonly minBytesPerSecond: number;
  /** A reader may pause this long; the buffers of its connection still hold what comes meanwhile. */
  readonly windowMs: number;
}

/**
 * Disconnect clients that do not read their replies: in every window in which bytes wait, some have to leave. Streams that
 * have nothing to send do not count. Returns a function that ends the watch.
 */
export function watchReaders(server: Server, { minBytesPerSecond, windowMs }: ReaderPace): () => void {
  if (minBytesPerSecond === 0) return () => {};
  const minBytes = (minBytesPerSecond * windowMs) / 1000;
  /** Bytes sent at the last look, of replies that had some waiting; undefined for others. */
  const replies = new Map<ServerResponse, number | undefined>();
  server.on('request', (incoming: IncomingMessage, outgoing: ServerResponse) => {
    replies.set(outgoing, undefined);
    onReplyEnd(incoming.socket, outgoing, () => replies.delete(outgoing));
  });
  const timer = setInterval(() => {
    for (const [outgoing, before] of replies) {
      const { socket } = outgoing;
      if (socket === null || outgoing.writableLength === 0) {
        replies.set(outgoing, undefined);
        continue;
      }
      const sent = bytesSent(socket);
      if (before !== undefined && sent - before < minBytes) socket.destroy();
      replies.set(outgoing, sent);
    }
  }, windowMs);
  timer.unref();
  return () => clearInterval(timer);
}

/** Bytes that have left the process: one large write counts from its beginning, so what the library queues is subtracted. */
function bytesSent(socket: Socket): number {
  const handle: unknown = Reflect.get(socket, '_handle');
  const queued: unknown = typeof handle === 'object' && handle !== null ? Reflect.get(handle, 'writeQueueSize') : 0;
  return socket.bytesWritten - (typeof queued === 'number' ? queued : 0);
}
