/** Opens PGlite on a folder so that what it acknowledges survives a power cut, and says in words why it cannot. */
import { rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { StoreError } from '../store-error.ts';
import { useReserve } from './disk-reserve.ts';
import { DurableFolder, type FolderObserver } from './durable-folder.ts';
import { describeFailure } from './pglite-failure.ts';
import { syncFolder, syncPath } from './sync-folder.ts';

export interface PgliteSource {
  /** Null: in memory. */
  readonly folder: string | null;
  /** Tar of a dump to restore; the folder must then be empty. */
  readonly tar?: Uint8Array<ArrayBuffer> | undefined;
}

/** PGlite's own parameters switch `fsync` off; its `fdatasync` does nothing, its `fsync` is that of `DurableFolder`. */
const DURABLE_PARAMETERS = [
  ...PGlite.defaultStartParams.filter((word) => word !== '-F'),
  ...['-c', 'fsync=on', '-c', 'wal_sync_method=fsync'],
];

/** Gives out the bytes themselves: to read a Blob of Node copies them several times, in pieces. */
class TarBlob extends Blob {
  readonly #bytes: Uint8Array<ArrayBuffer>;

  constructor(bytes: Uint8Array<ArrayBuffer>) {
    super([], { type: 'application/x-tar' });
    this.#bytes = bytes;
  }

  override async arrayBuffer(): Promise<ArrayBuffer> {
    const { buffer, byteOffset, byteLength } = this.#bytes;
    return byteLength === buffer.byteLength ? buffer : buffer.slice(byteOffset, byteOffset + byteLength);
  }
}

/**
 * Open PGlite. The caller has locked the folder: what an earlier process left there belongs to a dead one.
 *
 * @param lines receives the last lines of PostgreSQL's log
 *
 * Throws `StoreError` `store_unusable` with the reason that PostgreSQL gives.
 */
export async function openPglite(
  { folder, tar }: PgliteSource,
  observer: FolderObserver = {},
  lines: string[] = [],
): Promise<PGlite> {
  const shared = {
    ...(tar === undefined ? {} : { loadDataDir: new TarBlob(tar) }),
    onStderr: (line: string) => {
      lines.push(line);
      if (lines.length > 100) lines.shift();
      // PGlite prints nothing then.
      return false;
    },
  };
  try {
    if (folder === null) return await PGlite.create(shared);
    return await openFolder(folder, shared, observer);
  } catch (error) {
    throw new StoreError('store_unusable', await describeFailure(folder, error, lines), { cause: error });
  }
}

async function openFolder(folder: string, shared: object, observer: FolderObserver): Promise<PGlite> {
  // PostgreSQL's own lock, which a power cut can leave empty. The folder is locked by the caller.
  await rm(join(folder, 'postmaster.pid'), { force: true });
  useReserve(folder);
  const parent = dirname(folder);
  const marker = `${folder}.incomplete`;
  // A process ended while it made the store: nothing was stored in it yet.
  if (await exists(marker)) await rm(folder, { recursive: true, force: true });
  const isNew = !(await exists(join(folder, 'PG_VERSION')));
  if (isNew) {
    await writeFile(marker, 'this store is being made; until this file is gone it holds nothing\n', { flush: true });
    await syncPath(parent);
  }
  const pglite = await PGlite.create({
    ...shared,
    fs: new DurableFolder(folder, observer),
    startParams: DURABLE_PARAMETERS,
  });
  if (isNew) {
    await syncFolder(folder);
    await syncPath(parent);
    await rm(marker);
    await syncPath(parent);
  }
  return pglite;
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}
