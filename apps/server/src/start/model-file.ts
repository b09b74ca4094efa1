import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { convertOnce, type Recipe, sourceKind } from '@gptj-cloud/checkpoint';
import { openQuantiser } from '@gptj-cloud/engine';
import { EMBEDDED_MODEL_NAME, findModel, isModelName, listModels, modelsFolder } from '@gptj-cloud/model-store';
import { ConfigError } from '../config-error.ts';
import { embeddedModelPath } from '../embedded-model.ts';
import type { DataDirLock } from '../store/data-dir-lock.ts';
import { makeFolder } from '../store/make-folder.ts';
import { tryLockFolder } from '../store/try-lock-folder.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { StartDisplay } from './start-display.ts';

export interface ModelFileOptions {
  /** `GPTJ_MODEL`: a GGUF file, or a checkpoint in any other form; null: the embedded model. */
  readonly modelPath: string | null;
  /** The same setting, where it may be the name of a pulled model, or `embedded`. */
  readonly modelName: string | null;
  /** The setting, for errors. Default `GPTJ_MODEL`. */
  readonly setting?: string;
  readonly dataDir: string;
  /** Type of the weights of a converted folder. */
  readonly modelType: Recipe;
}

export interface DraftFileOptions {
  /** `GPTJ_DRAFT_MODEL`; null: none. */
  readonly draftModel: string | null;
  readonly dataDir: string;
}

const LOCK_POLL_MS = 500;

/**
 * The GGUF file to serve. A checkpoint in another form is converted into `DATA_DIR/models`, once for its contents
 * and type: a folder, a file of ggml, an archive of mesh-transformer-jax. Of processes that start together, one converts and the others wait.
 */
export async function findModelFile(
  { modelPath, modelName, dataDir, modelType, setting = 'GPTJ_MODEL' }: ModelFileOptions,
  {
    logger,
    display,
    signal,
  }: { readonly logger: Logger; readonly display: StartDisplay; readonly signal: AbortSignal | null },
): Promise<string> {
  if (modelPath === null) return await embeddedModelPath();
  const models = modelsFolder(dataDir);
  const found = await stat(modelPath).catch(() => null);
  if (found === null && modelName === EMBEDDED_MODEL_NAME) return await embeddedModelPath();
  if (found === null && modelName !== null) return await pulledModel(models, modelName, setting);
  // A path that does not exist is refused by the reader of the file, with the same words as every other.
  if (found === null || (await sourceKind(modelPath)) === 'gguf') return modelPath;
  await makeFolder(models, 0o700);
  // Neither checkpoints of mesh-transformer-jax nor files of ggml need have a tokenizer beside them.
  const defaultTokenizer = await embeddedModelPath().catch(() => null);
  try {
    const { path, summary } = await convertOnce({
      source: modelPath,
      ...(defaultTokenizer === null ? {} : { open: { defaultTokenizer } }),
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

/** The GGUF file of the draft model; null: there is none. Throws `ConfigError` for a name that the data folder does not have. */
export async function findDraftFile({ draftModel, dataDir }: DraftFileOptions): Promise<string | null> {
  if (draftModel === null) return null;
  if (draftModel === EMBEDDED_MODEL_NAME) return await embeddedModelPath();
  const isThere = (await stat(draftModel).catch(() => null)) !== null;
  if (isThere || !isModelName(draftModel)) return resolve(draftModel);
  return await pulledModel(modelsFolder(dataDir), draftModel, 'GPTJ_DRAFT_MODEL');
}

/** The file of a pulled model. Throws `ConfigError` for a name that the data folder does not have. */
async function pulledModel(models: string, name: string, setting: string): Promise<string> {
  const model = await findModel(models, name);
  if (model !== null) return model.path;
  const stored = [...new Set((await listModels(models)).map((each) => each.name))];
  throw new ConfigError(
    `${setting}: expected a file, a folder or the name of a pulled model, got ${name}; ${models} has ${stored.length === 0 ? 'no models' : stored.join(', ')}. gptj pull ${name} downloads it`,
  );
}

async function waitForLock(folder: string, logger: Logger, signal: AbortSignal | null): Promise<DataDirLock> {
  for (let isFirst = true; ; isFirst = false) {
    const lock = await tryLockFolder(folder);
    if (lock !== null) return lock;
    if (isFirst) logger.info('another process converts a checkpoint; waiting for it', { folder });
    await delay(LOCK_POLL_MS, undefined, { ...(signal === null ? {} : { signal }) });
  }
}
