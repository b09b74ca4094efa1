/** The audit log and the backup, for owners of the server. */
import type { Endpoint } from '../connection.ts';
import type { Page } from '../fields.ts';
import { type AuditEntry, type AuditOptions, readAuditLog } from './audit-records.ts';

export interface Admin {
  auditLog(options?: AuditOptions): Promise<Page<AuditEntry>>;
  /** Address of a backup of the embedded store, to download with a session that was confirmed recently. */
  backupAddress(): string;
}

export function createAdmin(endpoint: Endpoint): Admin {
  return {
    auditLog: async (options) => await readAuditLog(endpoint, '/v2/audit-log', options),
    backupAddress: () => `${endpoint.url}/v2/admin/backup`,
  };
}
