import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { convertOnce, type Recipe } from '@gptj-cloud/checkpoint';
import { openQuantiser } from '@gptj-cloud/engine';
import { embeddedModelPath } from '../embedded-model.ts';
import { type DataDirLock, lockDataDir } from '../store/data-dir-lock.ts';
import { makeFolder } from '../store/make-folder.ts';
import { StoreError } from '../store/store-error.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { StartDisplay } from './start-display.ts';

export interface ModelFileOptions {
  /** `GPTJ_MODEL`: a GGUF file, or the folder of a Hugging Face checkpoint; null: the embedded model. */
  readonly modelPath: string | null;
  readonly dataDir: string;
  /** Type of the weights of a converted folder. */
  readonly modelType: Recipe;
}

const LOCK_POLL_MS = 500;

/**
 * The GGUF file to serve. The folder of a Hugging Face checkpoint is converted into `DATA_DIR/models`, once for its contents
 * and type; of processes that start together, one converts and the others wait.
 */
export async function findModelFile(
  { modelPath, dataDir, modelType }: ModelFileOptions,
  {
    logger,
    display,
    signal,
  }: { readonly logger: Logger; readonly display: StartDisplay; readonly signal: AbortSignal | null },
): Promise<string> {
  if (modelPath === null) return await embeddedModelPath();
  const isFolder = await stat(modelPath).then(
    (found) => found.isDirectory(),
    () => false,
  );
  // A path that does not exist is refused by the reader of the file, with the same words as every other.
  if (!isFolder) return modelPath;
  const models = join(dataDir, 'models');
  await makeFolder(models, 0o700);
  try {
    const { path, summary } = await convertOnce({
      source: modelPath,
      models,
      type: modelType,
      quantiser: openQuantiser(),
      lock: () => waitForLock(models, logger, signal),
      onBegin: (target) =>
        logger.info('converting the checkpoint, once', { source: modelPath, target, type: modelType }),
      onProgress: ({ doneBytes, totalBytes, tensor }) => display.progress('converting', doneBytes, totalBytes, tensor),
      ...(signal === null ? {} : { signal }),
    });
    for (const warning of summary?.warnings ?? []) logger.warn(warning);
    if (summary !== null) {
      logger.info('converted', {
        file: path,
        bytes: summary.writtenBytes,
        duration_ms: Math.round(summary.durationMs),
      });
    }
    return path;
  } finally {
    display.clear();
  }
}

async function waitForLock(folder: string, logger: Logger, signal: AbortSignal | null): Promise<DataDirLock> {
  for (let isFirst = true; ; isFirst = false) {
    try {
      return await lockDataDir(folder);
    } catch (error) {
      if (!(error instanceof StoreError && error.code === 'data_dir_in_use')) throw error;
      if (isFirst) logger.info('another process converts a checkpoint; waiting for it', { folder });
    }
    await delay(LOCK_POLL_MS, undefined, { ...(signal === null ? {} : { signal }) });
  }
}
