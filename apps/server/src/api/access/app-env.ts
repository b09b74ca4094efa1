import type { ApiKey } from '../../identity/api-keys/api-key.ts';
import type { Principal } from '../../identity/principal.ts';
import type { SignedIn } from '../../identity/sessions/sign-in.ts';

/** The other end of the connection. */
export interface Peer {
  readonly address: string;
  readonly encrypted: boolean;
  /** End the connection once what was written has left. */
  breakOff(): void;
}

/** What the listener gives and middleware leaves for the routes. */
export interface AppEnv {
  Bindings: {
    /** Absent where the app is called without a connection, as tests do. */
    readonly peer?: Peer;
  };
  Variables: {
    requestId: string;
    /** Who connected, seen through trusted proxies; empty when unknown. */
    clientAddress: string;
    /** Whether the client came over TLS. */
    secure: boolean;
    /** Of the request's span, 32 hex digits; unset when traces are off. */
    traceId: string | undefined;
    /** Who is asking. Set on every guarded route. */
    principal: Principal;
    /** Set on every guarded route that was asked with an API token. */
    apiKey: ApiKey | undefined;
    /** Set on every guarded route that was asked with a session. */
    signedIn: SignedIn | undefined;
  };
}
