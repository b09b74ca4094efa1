import { ApiError } from '@gptj-cloud/protocol';
import { Hono } from 'hono';
import { isServerOwner } from '../../accounts/principal.ts';
import type { Store } from '../../store/db.ts';
import type { AppEnv } from '../app-env.ts';

/** For the owners of this server. */
export function adminRoutes({ dump }: Pick<Store, 'dump'>): Hono<AppEnv> {
  return new Hono<AppEnv>({ strict: false }).get('/v2/admin/backup', async (c) => {
    if (!isServerOwner(c.get('principal'))) throw new ApiError('owner_required', { action: 'take a backup' });
    if (dump === null) throw new ApiError('backup_elsewhere');
    return c.body(new Uint8Array(await dump()), 200, {
      'content-type': 'application/gzip',
      'content-disposition': 'attachment; filename="gptj-cloud-backup.tar.gz"',
    });
  });
}
