import { z } from 'zod';
import type { AuditFilter } from '../../audit/audit-store.ts';
import { query } from '../../http/parameter.ts';

const textSchema = z.string().max(100).optional();

/** Parameters that select entries of the audit log. */
export const AUDIT_FILTER = {
  userId: query('user_id', 'Of this user alone.', textSchema),
  action: query('action', 'Of this action alone.', textSchema),
} as const;

export function auditFilter(given: {
  readonly userId: string | undefined;
  readonly action: string | undefined;
}): Pick<AuditFilter, 'userId' | 'action'> {
  const { userId, action } = given;
  return { ...(userId === undefined ? {} : { userId }), ...(action === undefined ? {} : { action }) };
}
