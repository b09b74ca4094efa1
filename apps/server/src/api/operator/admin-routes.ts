import { ApiError, errorBodySchema } from '@gptj-cloud/protocol';
import type { Caller } from '../../audit/audit-log.ts';
import { json, media } from '../../http/openapi/operation.ts';
import { defineRoute } from '../../http/route.ts';
import { type ApiRoute, inPerson, serverOwner } from '../access/access.ts';
import { pipelineCloudErrors } from '../error-dialects.ts';
import { createBackupTurns } from './backup-turns.ts';

export interface AdminRoutesDeps {
  /** Dumps the embedded store, a gzipped tar; null on a PostgreSQL server, which has its own tools. */
  readonly dump: (() => Promise<Uint8Array>) | null;
  /** Writes a backup into the audit log. */
  readonly recordBackup: (caller: Caller) => Promise<void>;
}

const HEADERS = {
  'content-type': 'application/gzip',
  'content-disposition': 'attachment; filename="gptj-cloud-backup.tar.gz"',
};
/** Bytes in one part of the reply. */
const PART_BYTES = 2 ** 20;

/** Operations for the owners of this server. */
export function adminRoutes({ dump, recordBackup }: AdminRoutesDeps): readonly ApiRoute[] {
  const turns = createBackupTurns(() => performance.now());
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
        409: json(errorBodySchema, 'Another backup is being made, or the server has a PostgreSQL server: use pg_dump.'),
      },
      handle: async ({ caller }, c) => {
        if (dump === null) throw new ApiError('backup_elsewhere');
        if (c.req.method === 'HEAD') return c.body(null, 200, HEADERS);
        const turn = turns.take();
        try {
          await recordBackup(caller);
          const bytes = await dump();
          turn.dumped();
          return c.body(partsOf(bytes, turn.end), 200, { ...HEADERS, 'content-length': String(bytes.length) });
        } catch (error) {
          turn.end();
          throw error;
        }
      },
    }),
  ];
}

/** The bytes in parts, as the client reads them. `end` is called when it has read all, or has gone. */
function partsOf(bytes: Uint8Array, end: () => void): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        if (at < bytes.length) {
          controller.enqueue(bytes.subarray(at, at + PART_BYTES));
          at += PART_BYTES;
          return;
        }
        controller.close();
        end();
      },
      cancel: end,
    },
    { highWaterMark: 0 },
  );
}
