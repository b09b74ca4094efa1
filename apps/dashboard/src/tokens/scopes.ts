/** What the scopes of a token allow, one sentence each. */
import type { Scope } from '@gptj-cloud/sdk';

export const SCOPES: readonly { readonly id: Scope; readonly allows: string }[] = [
  { id: 'run', allows: 'Makes runs and generations by every API, uploads their data, and reads them.' },
  { id: 'read', allows: 'Reads everything but tokens, accounts and the audit log.' },
  { id: 'write', allows: 'Changes and deletes runs, tags, webhooks and other things of the project.' },
  { id: 'admin', allows: 'Includes the others, and manages tokens, the project, its members and its plan.' },
];

export const DEFAULT_SCOPES: readonly Scope[] = ['run', 'read', 'write'];

/** The scopes after a switch was moved. `admin` includes all others, so that they cannot be off beside it. */
export function withScope(scopes: readonly Scope[], scope: Scope, isOn: boolean): readonly Scope[] {
  if (scope === 'admin') return isOn ? SCOPES.map(({ id }) => id) : DEFAULT_SCOPES;
  return SCOPES.map(({ id }) => id).filter((id) => (id === scope ? isOn : scopes.includes(id)));
}
