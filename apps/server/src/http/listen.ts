import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { isIPv6, type Socket } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { ConfigError } from '../config-error.ts';
import type { Peer } from './http-env.ts';

export interface Listener {
  /** For clients on this machine: an unspecified address is shown as loopback. */
  readonly url: string;
  readonly port: number;
  /** Take no new connections, wait a moment for replies under way, then break what is left. Idempotent. */
  close(): Promise<void>;
}

/** A sender gets this long for its headers, and that long for the whole request. */
export interface ListenTimeouts {
  readonly headersMs: number;
  readonly requestMs: number;
  /** A connection on which neither side moves a byte is broken: its client does not read. Waiting runs send blanks. */
  readonly idleMs: number;
  /** Longer than the 5 s after which httpx and requests forget a connection. */
  readonly keepAliveMs: number;
  /** How often the first two are looked at. */
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
const SWEEP_MS = 20;

/** Serve `fetch` over HTTP. Throws `ConfigError` when the address cannot be had. */
export async function listen(
  fetch: (request: Request, peer: Peer) => Response | Promise<Response>,
  address: { readonly host: string; readonly port: number },
  timeouts: ListenTimeouts = TIMEOUTS,
): Promise<Listener> {
  const server = createServer(
    {
      headersTimeout: timeouts.headersMs,
      requestTimeout: timeouts.requestMs,
      keepAliveTimeout: timeouts.keepAliveMs,
      connectionsCheckingInterval: timeouts.checkEveryMs,
      maxHeaderSize: 16_384,
    },
    getRequestListener((request, { incoming }) => fetch(request, peerOf(incoming)), { overrideGlobalObjects: false }),
  );
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
      // Connections that are kept for a next request, or a first one, would stay.
      const sweep = setInterval(() => {
        server.closeIdleConnections();
        for (const socket of fresh) if (socket.bytesRead === 0) socket.destroy();
      }, SWEEP_MS);
      const deadline = setTimeout(() => server.closeAllConnections(), FLUSH_MS);
      await stopped;
      clearInterval(sweep);
      clearTimeout(deadline);
    },
  };
}

/** Connections that have made no request: Node counts them as busy. Clients open some in advance. */
function freshConnections(server: Server): ReadonlySet<Socket> {
  const fresh = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    fresh.add(socket);
    socket.once('close', () => fresh.delete(socket));
  });
  server.on('request', ({ socket }) => fresh.delete(socket));
  return fresh;
}

function peerOf(incoming: { readonly socket: IncomingMessage['socket'] }): Peer {
  const { socket } = incoming;
  return {
    address: socket.remoteAddress ?? '',
    encrypted: 'encrypted' in socket && socket.encrypted === true,
    breakOff: () => socket.destroySoon(),
  };
}

function urlHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1';
  return isIPv6(host) ? `[${host}]` : host;
}
