import { ApiError } from '@gptj-cloud/protocol';
import { Hono } from 'hono';
import { recordAudit } from '../../audit/audit-log.ts';
import { isServerOwner } from '../../identity/principal.ts';
import type { Database, Store } from '../../store/db.ts';
import type { AppEnv } from '../access/app-env.ts';
import { callerOf } from '../access/signed-in.ts';

export interface AdminRoutesDeps {
  readonly db: Database;
  readonly clock: () => Date;
  /** Of the embedded store; null: it is kept elsewhere. */
  readonly dump: Store['dump'];
}

/** For the owners of this server. */
export function adminRoutes({ db, clock, dump }: AdminRoutesDeps): Hono<AppEnv> {
  return new Hono<AppEnv>({ strict: false }).get('/v2/admin/backup', async (c) => {
    if (!isServerOwner(c.get('principal'))) throw new ApiError('owner_required', { action: 'take a backup' });
    if (dump === null) throw new ApiError('backup_elsewhere');
    await recordAudit(db, clock(), callerOf(c), { action: 'server.backup', subject: null });
    return c.body(new Uint8Array(await dump()), 200, {
      'content-type': 'application/gzip',
      'content-disposition': 'attachment; filename="gptj-cloud-backup.tar.gz"',
    });
  });
}
