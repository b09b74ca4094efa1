import type { Context } from 'hono';
import type { HttpEnv, Peer } from './http-env.ts';

/** The transport's half of a request, as plain values: the router's context stays in `http/` and `api/`. */
export interface RequestContext {
  readonly requestId: string;
  /** Address of the client, seen through trusted proxies; empty when unknown. */
  readonly clientAddress: string;
  /** Whether the client came over TLS. */
  readonly secure: boolean;
  /** Empty when the client sent none. */
  readonly userAgent: string;
  /** Aborted when the client disconnects. */
  readonly signal: AbortSignal;
  /** Absent where the app is called without a connection, as tests do. */
  readonly peer: Peer | undefined;
}

export function requestContext(c: Context<HttpEnv>): RequestContext {
  return {
    requestId: c.get('requestId'),
    clientAddress: c.get('clientAddress'),
    secure: c.get('secure'),
    userAgent: c.req.header('user-agent') ?? '',
    signal: c.req.raw.signal,
    peer: c.env?.peer,
  };
}
