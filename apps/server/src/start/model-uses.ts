/** Lets `gptj rm` and `gptj pull` know which models of the data folder this server uses. */
import { realpath } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { modelsFolder, openFileUses, type UsedFile } from '@gptj-cloud/model-store';
import type { ServerConfig } from '../config/parse-config.ts';
import { tryLockFolder } from '../store/try-lock-folder.ts';
import type { Logger } from '../telemetry/logger.ts';
import { findDraftFile } from './model-file.ts';

/** A file that the server has opened, wherever it is. */
export interface OpenedFile extends Pick<UsedFile, 'name' | 'isAdded'> {
  readonly path: string;
}

export interface ModelUsesOptions {
  readonly config: Pick<ServerConfig, 'dataDir' | 'draftModel' | 'hasEngine'>;
  readonly logger: Logger;
}

export interface ModelUses {
  /** Those of the models, and of the draft model. */
  readonly opened: readonly OpenedFile[];
  /** From now on the models are these; at first there are none. Resolves as {@link update}. */
  readonly follow: (files: () => readonly OpenedFile[]) => Promise<void>;
  /** What is opened has changed. Resolves when others see it; calls follow each other. */
  update(): Promise<void>;
  close(): Promise<void>;
}

/** A folder that has no locks or cannot be written does not keep the server from starting. */
export async function announceModelUses({ config, logger }: ModelUsesOptions): Promise<ModelUses> {
  const models = modelsFolder(config.dataDir);
  const draft = config.hasEngine ? await findDraftFile(config) : null;
  const drafts = draft === null ? [] : [{ path: draft, name: config.draftModel ?? draft, isAdded: false }];
  const warn = (error: unknown): void =>
    logger.warn('gptj rm does not learn which models this server uses', { folder: models, error });
  const uses = config.hasEngine
    ? await openFileUses(models, tryLockFolder).catch((error: unknown) => {
        warn(error);
        return null;
      })
    : null;
  let files: () => readonly OpenedFile[] = () => [];
  let last: Promise<void> = Promise.resolve();
  const update = async (): Promise<void> => {
    const folder = await realPath(models);
    const used: UsedFile[] = [];
    for (const { path, name, isAdded } of announced.opened) {
      const real = await realPath(path);
      if (dirname(real) === folder) used.push({ file: basename(real), name, isAdded });
    }
    await uses?.set(used);
  };
  const announced: ModelUses = {
    get opened() {
      return [...files(), ...drafts];
    },
    follow(next) {
      files = next;
      return announced.update();
    },
    update() {
      last = last.then(update).catch(warn);
      return last;
    },
    async close() {
      await last;
      await uses?.close().catch(warn);
    },
  };
  return announced;
}

async function realPath(path: string): Promise<string> {
  return await realpath(path).catch(() => resolve(path));
}
