import { constants } from 'node:fs';
import { copyFile, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type Bundle, extractModel, readBundle } from '../bundle/read-bundle.ts';
import { errnoOf, ModelStoreError, writeError } from '../model-store-error.ts';
import { type ModelSource, toModelName } from '../store/model-record.ts';
import { checkName, type StoredModel } from '../store/model-store.ts';
import type { PullOptions } from './pull-options.ts';
import { openStaging } from './staging.ts';
import { storeModelFile } from './store-file.ts';
import { convertIntoStore, planFolder } from './store-folder.ts';

/** Convert the folder of a checkpoint where it is, copy a model file, or take it out of a bundle. */
export async function pullPath(options: PullOptions, path: string): Promise<StoredModel> {
  const isFolder = await isDirectory(path);
  const bundle = isFolder ? null : await readBundle(path);
  const name = options.name ?? bundle?.record.name ?? toModelName(basename(path));
  const kind = isFolder ? 'folder' : 'file';
  const source: ModelSource = bundle?.record.source ?? { kind, from: path, revision: null, commit: null };
  await checkName(options.models, name, source.from);
  const staging = await openStaging(options.models, [path], options.tryLock);
  try {
    options.onEvent({ type: 'source', source, resumed: false });
    const target = { ...options, name, source };
    const stored = isFolder
      ? await convertIntoStore(path, staging.folder, await planFolder(path, target, []), target)
      : await storeModelFile(await copyInto(staging.folder, path, bundle, options), target);
    await staging.discard();
    return stored;
  } finally {
    await staging.close();
  }
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (cause) {
    if (errnoOf(cause) === null) throw cause;
    throw new ModelStoreError(
      'not_found',
      `${path}: expected the folder of a checkpoint, a model file or a bundle, found nothing`,
      { cause },
    );
  }
}

async function copyInto(
  staging: string,
  path: string,
  bundle: Bundle | null,
  { signal, onEvent }: PullOptions,
): Promise<string> {
  const copy = join(staging, 'copy.gguf');
  await rm(copy, { force: true });
  if (bundle !== null) {
    const onProgress = (doneBytes: number, totalBytes: number): void =>
      onEvent({ type: 'download', doneBytes, totalBytes, file: basename(path) });
    await extractModel(path, bundle, copy, { signal, onProgress });
    return copy;
  }
  try {
    // Shares the blocks where the file system can.
    await copyFile(path, copy, constants.COPYFILE_FICLONE);
  } catch (error) {
    throw writeError(copy, error);
  }
  return copy;
}
