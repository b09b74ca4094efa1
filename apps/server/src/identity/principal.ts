import type { Scope } from '@gptj-cloud/protocol';

/** The authenticated caller of a request. Set by the auth layer alone; services trust it. */
export interface Principal {
  readonly userId: string;
  /** The project in which the request stores and lists objects. */
  readonly projectId: string;
  /** Null for a browser session. */
  readonly apiKeyId: string | null;
  readonly role: 'owner' | 'member';
  readonly planId: string;
  readonly scopes: readonly Scope[];
}

/** Whether the caller may administer the server: an owner, with a session or a token that has the scope `admin`. */
export function isServerOwner({ role, scopes }: Pick<Principal, 'role' | 'scopes'>): boolean {
  return role === 'owner' && scopes.includes('admin');
}
