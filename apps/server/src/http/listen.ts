import { once } from 'node:events';
import { createServer } from 'node:http';
import { isIPv6 } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { ConfigError } from '../config.ts';

export interface Listener {
  /** For clients on this machine: an unspecified address is shown as loopback. */
  readonly url: string;
  readonly port: number;
  /** Take no new connections; requests on open ones are still answered. */
  stopAccepting(): void;
  /** Wait a moment for replies under way, then break what is left. Idempotent. */
  close(): Promise<void>;
}

/** A sender gets this long for its headers, and that long for the whole request. */
const HEADERS_TIMEOUT_MS = 15_000;
const REQUEST_TIMEOUT_MS = 120_000;
/** A connection on which neither side moves a byte is broken: its client does not read. Waiting runs send blanks. */
const IDLE_MS = 120_000;
/** Longer than the 5 s after which httpx and requests forget a connection. */
const KEEP_ALIVE_MS = 10_000;
const FLUSH_MS = 5_000;
const SWEEP_MS = 20;

/** Serve `fetch` over HTTP. Throws `ConfigError` when the address cannot be had. */
export async function listen(
  fetch: (request: Request) => Response | Promise<Response>,
  address: { readonly host: string; readonly port: number },
): Promise<Listener> {
  const server = createServer(
    {
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      connectionsCheckingInterval: 5_000,
      maxHeaderSize: 16_384,
    },
    getRequestListener(fetch, { overrideGlobalObjects: false }),
  );
  server.setTimeout(IDLE_MS);
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
  const stopAccepting = (): void => {
    stopped ??= new Promise((resolve) => server.close(resolve));
  };
  return {
    url: `http://${urlHost(address.host)}:${port}`,
    port,
    stopAccepting,
    async close() {
      stopAccepting();
      // A connection that a reply has left idle would be kept for the next request.
      const sweep = setInterval(() => server.closeIdleConnections(), SWEEP_MS);
      const deadline = setTimeout(() => server.closeAllConnections(), FLUSH_MS);
      await stopped;
      clearInterval(sweep);
      clearTimeout(deadline);
    },
  };
}

function urlHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1';
  return isIPv6(host) ? `[${host}]` : host;
}
