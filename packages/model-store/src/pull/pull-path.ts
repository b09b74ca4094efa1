import { constants } from 'node:fs';
import { copyFile, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { errnoOf, ModelStoreError, writeError } from '../model-store-error.ts';
import { type ModelSource, toModelName } from '../store/model-record.ts';
import { checkName, type StoredModel } from '../store/model-store.ts';
import type { PullOptions } from './pull-options.ts';
import { openStaging } from './staging.ts';
import { storeModelFile } from './store-file.ts';
import { convertIntoStore, planFolder } from './store-folder.ts';

/** Convert the folder of a checkpoint where it is, or copy a model file. */
export async function pullPath(options: PullOptions, path: string): Promise<StoredModel> {
  const found = await stat(path).catch((cause: unknown) => {
    if (errnoOf(cause) === null) throw cause;
    throw new ModelStoreError(
      'not_found',
      `${path}: expected the folder of a checkpoint or a model file, found nothing`,
      { cause },
    );
  });
  const name = options.name ?? toModelName(basename(path));
  const staging = await openStaging(options.models, [path], options.tryLock);
  try {
    const source: ModelSource = {
      kind: found.isDirectory() ? 'folder' : 'file',
      from: path,
      revision: null,
      commit: null,
    };
    options.onEvent({ type: 'source', source, resumed: false });
    const target = { ...options, name, source };
    let stored: StoredModel;
    if (found.isDirectory()) {
      stored = await convertIntoStore(path, staging.folder, await planFolder(path, target, []), target);
    } else {
      await checkName(options.models, name, path);
      const copy = join(staging.folder, 'copy.gguf');
      await rm(copy, { force: true });
      await copyFile(path, copy, constants.COPYFILE_FICLONE).catch((error: unknown) => {
        throw writeError(copy, error);
      });
      stored = await storeModelFile(copy, target);
    }
    await staging.discard();
    return stored;
  } finally {
    await staging.close();
  }
}
