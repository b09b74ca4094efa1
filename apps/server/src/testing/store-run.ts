import { newId } from '@gptj-cloud/protocol';
import { DEFAULT_PROJECT_ID } from '../identity/users/first-user.ts';
import { insertData } from '../runs/data/data-store.ts';
import { newFile } from '../runs/files/file.ts';
import { insertFiles } from '../runs/files/file-store.ts';
import { insertRuns, type NewRun } from '../runs/run-store.ts';
import type { Database } from '../store/db.ts';

/** Store a waiting run of the default project with empty data; its id, or null when its idempotency key is taken. */
export async function storeRun(
  db: Database,
  createdAt: Date,
  columns: Partial<
    Pick<
      NewRun,
      | 'projectId'
      | 'pipelineId'
      | 'lease'
      | 'priority'
      | 'idempotencyKey'
      | 'promptHead'
      | 'apiKeyId'
      | 'prefixHashes'
      | 'needs'
    >
  > = {},
): Promise<string | null> {
  const { projectId = DEFAULT_PROJECT_ID } = columns;
  const file = newFile('data', new Uint8Array());
  const [id, dataId] = [newId('run'), newId('data')];
  await insertFiles(db, [{ projectId, file, createdAt }]);
  await insertData(db, projectId, { id: dataId, createdAt, file });
  const run: NewRun = {
    id,
    projectId,
    apiKeyId: null,
    pipelineId: 'p',
    dataId,
    createdAt,
    resourceType: 'cpu',
    minGpuVramMb: null,
    isAsync: false,
    isStreamed: false,
    priority: 0,
    admissionTicket: 'ticket',
    idempotencyKey: null,
    requestHash: null,
    promptHead: '',
    prefixHashes: [],
    needs: null,
    lease: null,
    ...columns,
  };
  return (await insertRuns(db, [run])).has(id) ? id : null;
}
