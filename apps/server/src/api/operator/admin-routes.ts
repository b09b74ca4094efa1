import { ApiError, errorBodySchema } from '@gptj-cloud/protocol';
import type { Caller } from '../../audit/audit-log.ts';
import { json, media } from '../../http/openapi/operation.ts';
import { defineRoute } from '../../http/route.ts';
import { type ApiRoute, inPerson, serverOwner } from '../access/access.ts';
import { pipelineCloudErrors } from '../error-dialects.ts';
import { type BackupTurn, createBackupTurns } from './backup-turns.ts';

export interface AdminRoutesDeps {
  /** Dumps the embedded store, a gzipped tar; null on a PostgreSQL server, which has its own tools. */
  readonly dump: (() => AsyncIterable<Uint8Array>) | null;
  /** Writes a backup into the audit log. */
  readonly recordBackup: (caller: Caller) => Promise<void>;
}

const HEADERS = {
  'content-type': 'application/gzip',
  'content-disposition': 'attachment; filename="gptj-cloud-backup.tar.gz"',
};

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
          const chunks = dump()[Symbol.asyncIterator]();
          // A refusal of the store comes before the first chunk, and has its own status.
          const startedAt = performance.now();
          const first = await chunks.next();
          const tookMs = performance.now() - startedAt;
          return c.body(backupBody({ first, tookMs, chunks, turn }), 200, HEADERS);
        } catch (error) {
          turn.end();
          throw error;
        }
      },
    }),
  ];
}

interface BegunBackup {
  readonly first: IteratorResult<Uint8Array>;
  /** Milliseconds until the first chunk. */
  readonly tookMs: number;
  readonly chunks: AsyncIterator<Uint8Array>;
  readonly turn: BackupTurn;
}

/** The chunks as the client reads them. The turn ends when it has read all, or has gone, or the store fails. */
function backupBody({ first, tookMs, chunks, turn }: BegunBackup): ReadableStream<Uint8Array> {
  let next: IteratorResult<Uint8Array> | null = first;
  // The time of the store alone: its client may read as slowly as it likes.
  let totalMs = tookMs;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const startedAt = performance.now();
          const { done, value } = next ?? (await chunks.next());
          next = null;
          totalMs += performance.now() - startedAt;
          if (done !== true) {
            controller.enqueue(value);
            return;
          }
          turn.dumped(totalMs);
          controller.close();
          turn.end();
        } catch (error) {
          turn.end();
          throw error;
        }
      },
      async cancel() {
        try {
          await chunks.return?.();
        } finally {
          turn.end();
        }
      },
    },
    { highWaterMark: 0 },
  );
}
