import type { RequestLoad } from './load/request-load.ts';

/** The client's end of the connection. */
export interface Peer {
  readonly address: string;
  readonly encrypted: boolean;
  /** End the connection once the bytes written so far are sent. */
  disconnect(): void;
  /** Call the listener once, when the reply is sent or the connection ends. */
  onReplyEnd?(listener: () => void): void;
}

/** Types of the router's context: bindings come from the listener, variables from the middleware. */
export interface HttpEnv {
  Bindings: {
    /** Absent when the app is called without a connection, as in tests. */
    readonly peer?: Peer;
  };
  Variables: {
    requestId: string;
    /** Address of the client behind trusted proxies; empty when unknown. */
    clientAddress: string;
    /** Whether the client came over TLS. */
    secure: boolean;
    /** Trace of the request's span, 32 hex digits; undefined when traces are off. */
    traceId: string | undefined;
    /** What the request makes the server work and hold. Absent before the route is known. */
    load: RequestLoad | undefined;
    /** The project of an authenticated request; undefined before. */
    projectId: string | undefined;
    /** Who sent an authenticated request; undefined before. */
    caller: { readonly userId: string; readonly apiKeyId: string | null } | undefined;
    /** Headers that a reply gets when it is ready, unless the request is refused for another reason than a limit. */
    limitHeaders: (() => Promise<Readonly<Record<string, string>>>) | undefined;
    /** Whether the dashboard answered. */
    isDashboard: boolean | undefined;
    /** Whether the route is one that load balancers and scrapers ask again and again. */
    isPolled: boolean | undefined;
  };
}
