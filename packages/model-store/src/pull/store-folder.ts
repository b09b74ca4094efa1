/** The folder of a checkpoint, complete or with its small files alone: planned, converted and moved into the store. */
import { createHash } from 'node:crypto';
import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { convertCheckpoint, type Quantiser, type Recipe } from '@gptj-cloud/checkpoint';
import { type GpuMemory, gigabytes, type MachineMemory, openQuantiser } from '@gptj-cloud/engine';
import { type GptjConfig, ModelError, parseGptjConfig } from '@gptj-cloud/model';
import { readSafeBytes } from '../download/journal.ts';
import { ModelStoreError } from '../model-store-error.ts';
import type { TryLock } from '../ports.ts';
import { readFileUses } from '../store/file-uses.ts';
import { hashFile } from '../store/hash-file.ts';
import type { ModelSource } from '../store/model-record.ts';
import { checkName, findModel, type StoredModel, storeModel } from '../store/model-store.ts';
import { withStoreLock } from '../store/store-lock.ts';
import { checkDisk } from './check-disk.ts';
import type { WantedFile } from './download-files.ts';
import { planType, type TypePlan } from './plan-type.ts';
import type { PullEvent } from './pull-events.ts';

/** What a model becomes in the store. */
export interface StoreTarget {
  readonly models: string;
  readonly name: string;
  readonly source: ModelSource;
  /** Null: the best that fits into the memory. */
  readonly type: Recipe | null;
  readonly machine: MachineMemory;
  readonly gpu?: GpuMemory | null;
  readonly checksMemory: boolean;
  readonly tryLock: TryLock;
  readonly onEvent: (event: PullEvent) => void;
  readonly signal: AbortSignal;
}

/** Types that need no quantiser of llama.cpp. */
const FLOAT_TYPES: ReadonlySet<Recipe> = new Set(['f32', 'f16', 'bf16']);

/**
 * The model of this commit that the store has already, of the requested type, or of any where none is requested: the free
 * memory is less while the model is served. Null: it has none.
 */
export async function findPresent({ models, name, type, source, onEvent }: StoreTarget): Promise<StoredModel | null> {
  const found = await findModel(models, type === null ? name : `${name}.${type}`);
  if (found === null || found.source.from !== source.from || found.source.commit !== source.commit) return null;
  const size = await stat(found.path).then(
    (file) => file.size,
    () => null,
  );
  if (size !== found.sizeBytes) return null;
  onEvent({ type: 'present', model: `${found.name}.${found.type}` });
  return found;
}

/** Choose the type by `config.json`. Throws `memory_full`, `not_convertible`, `name_taken`. */
export async function chooseType(folder: string, target: StoreTarget): Promise<TypePlan> {
  await checkName(target.models, target.name, target.source.from);
  return planType({ ...target, gpu: target.gpu ?? null, config: await readConfig(join(folder, 'config.json')) });
}

/**
 * Choose the type, and refuse what the disk or the memory cannot hold. `missing`: weights that are still to be downloaded,
 * wholly or in part, and stay until all are converted. Throws `disk_full`, and as {@link chooseType} does.
 */
export async function planFolder(
  folder: string,
  target: StoreTarget,
  missing: readonly WantedFile[],
): Promise<TypePlan> {
  const plan = await chooseType(folder, target);
  const downloadBytes = await bytesLeft(missing);
  const parts = [
    ...(downloadBytes === 0 ? [] : [`${gigabytes(downloadBytes)} to download`]),
    `${gigabytes(plan.fileBytes)} for the ${plan.type} file`,
  ];
  await checkDisk(target.models, downloadBytes + plan.fileBytes, parts.join(' and '));
  announce(target, plan, downloadBytes);
  return plan;
}

export function announce(
  { onEvent }: StoreTarget,
  { type: recipe, reason, fileBytes }: TypePlan,
  downloadBytes: number,
): void {
  onEvent({ type: 'plan', recipe, reason, downloadBytes, fileBytes });
}

/** Number of bytes that are still to be downloaded. */
export async function bytesLeft(files: readonly WantedFile[]): Promise<number> {
  const left = await Promise.all(files.map(bytesLeftOf));
  return left.reduce((sum, bytes) => sum + bytes, 0);
}

async function bytesLeftOf({ path, sizeBytes }: WantedFile): Promise<number> {
  const isComplete = await stat(path).then(
    () => true,
    () => false,
  );
  return isComplete ? 0 : Math.max(0, (sizeBytes ?? 0) - (await readSafeBytes(`${path}.journal`)));
}

async function readConfig(path: string): Promise<GptjConfig> {
  try {
    return parseGptjConfig(JSON.parse(await readFile(path, 'utf8')));
  } catch (cause) {
    if (!(cause instanceof ModelError || cause instanceof SyntaxError)) throw cause;
    throw new ModelStoreError('not_convertible', `${path}: ${cause.message}`, { cause });
  }
}

/** Path in `staging` of the model file of a type, once it is complete. */
export function convertedPath(staging: string, { type }: TypePlan): string {
  return join(staging, `converted.${type}.gguf`);
}

/** The quantiser that a type needs, as an option of a conversion. */
export function quantiserFor(type: Recipe): { readonly quantiser?: Quantiser } {
  return FLOAT_TYPES.has(type) ? {} : { quantiser: openQuantiser() };
}

/** Remove what conversions to other files have left. */
export async function removeOtherConversions(staging: string, keep: string): Promise<void> {
  const names = (await readdir(staging)).filter(
    (file) => /^\.?converted\..*/.test(file) && !file.startsWith(basename(keep)),
  );
  await Promise.all(names.map((file) => rm(join(staging, file), { force: true })));
}

/** Convert the folder in `staging`, and move the result into the store. */
export async function convertIntoStore(
  folder: string,
  staging: string,
  plan: TypePlan,
  target: StoreTarget,
): Promise<StoredModel> {
  const { source, onEvent, signal } = target;
  const converted = convertedPath(staging, plan);
  const isConverted = await stat(converted).then(
    () => source.kind === 'hub',
    () => false,
  );
  if (!isConverted) {
    await removeOtherConversions(staging, 'none');
    const summary = await convertCheckpoint({
      source: folder,
      target: converted,
      type: plan.type,
      ...quantiserFor(plan.type),
      onProgress: (progress) => onEvent({ type: 'convert', ...progress }),
      signal,
    });
    for (const message of summary.warnings) onEvent({ type: 'warning', message });
  }
  return await storeConverted(converted, plan, target);
}

/** Move a converted file into the store. */
export async function storeConverted(
  converted: string,
  { type }: TypePlan,
  { models, name, source, signal, tryLock }: StoreTarget,
): Promise<StoredModel> {
  const { size } = await stat(converted);
  const sha256 = await hashFile(converted, createHash('sha256'), signal);
  const facts = { name, type, sizeBytes: size, sha256, source, storedAt: new Date().toISOString() };
  return await withStoreLock(models, tryLock, signal, async () =>
    storeModel(models, converted, facts, await readFileUses(models, tryLock)),
  );
}
