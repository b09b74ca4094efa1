import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { isIPv6, type Socket } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { ConfigError } from '../config-error.ts';
import type { Peer } from './http-env.ts';
import { onReplyEnd, type Reply } from './reply-end.ts';
import { type ReaderPace, watchReaders } from './slow-readers.ts';

export interface Listener {
  /** URL for clients on this machine: loopback if the server listens on every address. */
  readonly url: string;
  readonly port: number;
  /** Accept no new connections, wait 5 s for running replies, then disconnect the remaining clients. Idempotent. */
  close(): Promise<void>;
}

/** Time limits for the headers of a request, and for the whole request. */
export interface ListenTimeouts {
  readonly headersMs: number;
  readonly requestMs: number;
  /** Idle timeout of a connection whose client does not read. Replies that wait for a run send spaces meanwhile. */
  readonly idleMs: number;
  /** Longer than the 5 s after which httpx and requests drop an idle connection. */
  readonly keepAliveMs: number;
  /** Interval at which the first two are checked. */
  readonly checkEveryMs: number;
}

const TIMEOUTS: ListenTimeouts = {
  headersMs: 15_000,
  requestMs: 120_000,
  idleMs: 120_000,
  keepAliveMs: 10_000,
  checkEveryMs: 5_000,
};
const FLUSH_MS = 5_000;
/** A body of the default limit has the default time; larger ones have more in proportion. */
const BYTES_IN_DEFAULT_TIME = 20 * 2 ** 20;
/** Shorter than the time after which a file that is not stored to its end counts as abandoned. */
const MAX_REQUEST_MS = 50 * 60_000;
const SWEEP_MS = 20;
export const READER_WINDOW_MS = 30_000;

/** The time limits of a server that takes bodies of up to this length. */
export function timeoutsFor(maxBodyBytes: number): ListenTimeouts {
  const requestMs = Math.round(TIMEOUTS.requestMs * Math.max(1, maxBodyBytes / BYTES_IN_DEFAULT_TIME));
  return { ...TIMEOUTS, requestMs: Math.min(requestMs, MAX_REQUEST_MS) };
}

/** Serve `fetch` over HTTP. Throws `ConfigError` when it cannot listen on the address. */
export async function listen(
  fetch: (request: Request, peer: Peer) => Response | Promise<Response>,
  address: { readonly host: string; readonly port: number },
  timeouts: ListenTimeouts = TIMEOUTS,
  pace: ReaderPace = { minBytesPerSecond: 0, windowMs: READER_WINDOW_MS },
): Promise<Listener> {
  const serve = getRequestListener((request, { incoming, outgoing }) => fetch(request, peerOf(incoming, outgoing)), {
    overrideGlobalObjects: false,
  });
  const server = createServer(
    {
      headersTimeout: timeouts.headersMs,
      requestTimeout: timeouts.requestMs,
      keepAliveTimeout: timeouts.keepAliveMs,
      connectionsCheckingInterval: timeouts.checkEveryMs,
      maxHeaderSize: 16_384,
    },
    (incoming, outgoing) => {
      if (hasOneHost(incoming)) void serve(incoming, outgoing);
      else outgoing.writeHead(400, { connection: 'close' }).end();
    },
  );
  const stopWatching = watchReaders(server, pace);
  server.setTimeout(timeouts.idleMs);
  const fresh = freshConnections(server);
  try {
    server.listen(address.port, address.host);
    await once(server, 'listening');
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ConfigError(`cannot listen on HOST ${address.host} and PORT ${address.port}: ${reason}`, { cause });
  }
  const bound = server.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : address.port;
  let stopped: Promise<unknown> | undefined;
  return {
    url: `http://${urlHost(address.host)}:${port}`,
    port,
    async close() {
      stopped ??= new Promise((resolve) => server.close(resolve));
      // The server closes neither kept-alive connections nor those without a first request by itself.
      const sweep = setInterval(() => {
        server.closeIdleConnections();
        for (const socket of fresh) if (socket.bytesRead === 0) socket.destroy();
      }, SWEEP_MS);
      const deadline = setTimeout(() => server.closeAllConnections(), FLUSH_MS);
      await stopped;
      stopWatching();
      clearInterval(sweep);
      clearTimeout(deadline);
    },
  };
}

/** A second Host is an error (RFC 9112): a proxy and this server could each believe another one. */
function hasOneHost({ rawHeaders }: IncomingMessage): boolean {
  return rawHeaders.filter((text, at) => at % 2 === 0 && text.toLowerCase() === 'host').length <= 1;
}

/** Connections without a request yet, which clients open in advance. Node counts them as busy. */
function freshConnections(server: Server): ReadonlySet<Socket> {
  const fresh = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    fresh.add(socket);
    socket.once('close', () => fresh.delete(socket));
  });
  server.on('request', ({ socket }) => fresh.delete(socket));
  return fresh;
}

function peerOf(incoming: { readonly socket: IncomingMessage['socket'] }, outgoing: Reply): Peer {
  const { socket } = incoming;
  return {
    address: socket.remoteAddress ?? '',
    encrypted: 'encrypted' in socket && socket.encrypted === true,
    disconnect: () => socket.destroySoon(),
    onReplyEnd: (listener) => onReplyEnd(socket, outgoing, listener),
  };
}

function urlHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1';
  return isIPv6(host) ? `[${host}]` : host;
}
