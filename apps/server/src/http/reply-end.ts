import type { Socket } from 'node:net';

/** Emits `close` when it is sent, or when the connection ends during it. */
export interface Reply {
  once(event: 'close', listener: () => void): unknown;
}

/** What waits for the end of each connection: a reply that another one precedes has no `close` event of its own. */
const waiting = new WeakMap<Socket, Set<() => void>>();

/** Call the listener once, when the reply is sent or its connection ends. */
export function onReplyEnd(socket: Socket, outgoing: Reply, listener: () => void): void {
  let listeners = waiting.get(socket);
  if (listeners === undefined) {
    const added = new Set<() => void>();
    listeners = added;
    waiting.set(socket, added);
    socket.once('close', () => {
      for (const each of [...added]) each();
    });
  }
  const known = listeners;
  const end = (): void => {
    if (known.delete(end)) listener();
  };
  known.add(end);
  outgoing.once('close', end);
  if (socket.closed) end();
}
