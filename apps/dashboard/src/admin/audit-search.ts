import { defined, type RawSearch, textIn } from '../ui/search-values.ts';

/** Filters of the audit log. */
export interface AuditSearch {
  readonly user?: string;
  readonly action?: string;
}

export function readAuditSearch(raw: RawSearch): AuditSearch {
  return defined({ user: textIn(raw, 'user'), action: textIn(raw, 'action') });
}
