import { createHash } from 'node:crypto';
import { PickleError, type PickleValue } from '@gptj-cloud/pickle';
import { ApiError, type RunCreate } from '@gptj-cloud/protocol';
import type { Database } from '../store/db.ts';
import type { StoredData } from './data/data.ts';
import { findData } from './data/data-store.ts';
import type { NewFile } from './files/file.ts';
import { readBytes } from './files/file-slices-store.ts';
import { pickleInput } from './input-pickle.ts';

export interface LoadedData extends StoredData {
  readonly file: NewFile;
}

/** Data of a project with all their bytes. Throws `not_found`. */
export async function loadData(db: Database, projectId: string, id: string): Promise<LoadedData> {
  const stored = await findData(db, projectId, id);
  if (stored === null) throw new ApiError('not_found', { kind: 'data', id: id.slice(0, 100) });
  return { ...stored, file: { ...stored.file, bytes: await readBytes(db, stored.file) } };
}

/** Inline data as a pickle, the form of the clients' uploads. Throws `invalid_input`. */
export function storableInput(input: PickleValue): Uint8Array {
  try {
    return pickleInput(input);
  } catch (error) {
    if (!(error instanceof PickleError)) throw error;
    throw new ApiError('invalid_input', { reason: error.message }, { cause: error });
  }
}

/** The same for requests that make the same run, for idempotency keys. */
export function requestHash(request: Omit<RunCreate, 'data'>, pipelineId: string, inline: Uint8Array | null): string {
  const { data_id: dataId, async_run: isAsync, compute_requirements: needs } = request;
  const fields = [pipelineId, dataId ?? null, isAsync ?? false, needs?.min_gpu_vram_mb ?? null];
  return createHash('sha256')
    .update(JSON.stringify(fields))
    .update(inline ?? '')
    .digest('hex');
}
