import { ApiError, errorBodySchema } from '@gptj-cloud/protocol';
import type { Caller } from '../../audit/audit-log.ts';
import { json, media } from '../../http/openapi/operation.ts';
import { defineRoute } from '../../http/route.ts';
import { type ApiRoute, inPerson, serverOwner } from '../access/access.ts';
import { pipelineCloudErrors } from '../error-dialects.ts';

export interface AdminRoutesDeps {
  /** Dumps the embedded store, a gzipped tar; null on a PostgreSQL server, which has its own tools. */
  readonly dump: (() => Promise<Uint8Array>) | null;
  /** Writes a backup into the audit log. */
  readonly recordBackup: (caller: Caller) => Promise<void>;
}

/** Operations for the owners of this server. */
export function adminRoutes({ dump, recordBackup }: AdminRoutesDeps): readonly ApiRoute[] {
  return [
    defineRoute({
      method: 'get',
      path: '/v2/admin/backup',
      access: inPerson(serverOwner('take a backup'), { tokens: 'scope' }),
      errors: pipelineCloudErrors,
      tag: 'server',
      summary: 'A backup of the embedded store',
      description: 'All data of the server, consistent while it runs. Restore it with `gptj admin restore`.',
      replies: {
        200: media('application/gzip', 'A gzipped tar.', { type: 'string', contentMediaType: 'application/gzip' }),
        409: json(errorBodySchema, 'The server stores its data on a PostgreSQL server: use pg_dump.'),
      },
      handle: async ({ caller }, c) => {
        if (dump === null) throw new ApiError('backup_elsewhere');
        await recordBackup(caller);
        return c.body(new Uint8Array(await dump()), 200, {
          'content-type': 'application/gzip',
          'content-disposition': 'attachment; filename="gptj-cloud-backup.tar.gz"',
        });
      },
    }),
  ];
}
