/** What a token or session may do. `admin` holds all others. */
export type Scope = 'run' | 'read' | 'write' | 'admin';

/** Who is asking: set by the one auth layer on every guarded route, trusted from there on. */
export interface Principal {
  readonly userId: string;
  /** Everything that a request stores or lists belongs to a project. */
  readonly projectId: string;
  /** Null for a browser session. */
  readonly apiKeyId: string | null;
  readonly role: 'owner' | 'member';
  readonly planId: string;
  readonly scopes: readonly Scope[];
}
