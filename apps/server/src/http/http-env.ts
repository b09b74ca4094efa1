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
    /** Whether the dashboard answered: its files are many and of little interest to an operator. */
    isDashboard: boolean | undefined;
  };
}
