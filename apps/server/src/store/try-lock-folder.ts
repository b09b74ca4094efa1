import { type DataDirLock, lockDataDir } from './data-dir-lock.ts';
import { StoreError } from './store-error.ts';

/** {@link lockDataDir} for a folder that another process may well have: null then. Throws `data_dir_unusable`. */
export async function tryLockFolder(folder: string): Promise<DataDirLock | null> {
  try {
    return await lockDataDir(folder);
  } catch (error) {
    if (error instanceof StoreError && error.code === 'data_dir_in_use') return null;
    throw error;
  }
}
