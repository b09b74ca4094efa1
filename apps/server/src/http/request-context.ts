import type { Context } from 'hono';
import type { HttpEnv, Peer } from './http-env.ts';

/** Transport data of a request as plain values, so that features need not depend on the router's context. */
export interface RequestContext {
  readonly requestId: string;
  /** Address of the client behind trusted proxies; empty when unknown. */
  readonly clientAddress: string;
  /** Whether the client came over TLS. */
  readonly secure: boolean;
  /** Empty when the client sent none. */
  readonly userAgent: string;
  /** Aborted when the client disconnects. */
  readonly signal: AbortSignal;
  /** Absent when the app is called without a connection, as in tests. */
  readonly peer: Peer | undefined;
  /** Check again that the caller may send this request. Throws as the first check does. */
  readonly reauthorize: () => Promise<void>;
}

export function requestContext(c: Context<HttpEnv>, reauthorize: () => Promise<void>): RequestContext {
  return {
    requestId: c.get('requestId'),
    clientAddress: c.get('clientAddress'),
    secure: c.get('secure'),
    userAgent: c.req.header('user-agent') ?? '',
    signal: c.req.raw.signal,
    peer: c.env?.peer,
    reauthorize,
  };
}
