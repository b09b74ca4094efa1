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

/** Whether somebody may act on the server as a whole: an owner, and not by a token that was given less than that. */
export function isServerOwner({ role, scopes }: Pick<Principal, 'role' | 'scopes'>): boolean {
  return role === 'owner' && scopes.includes('admin');
}
