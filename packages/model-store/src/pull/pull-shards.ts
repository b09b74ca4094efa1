/**
 * Downloads shards and converts each one when it is complete and its hash is right, while the next one is downloaded. A shard
 * that has been converted goes, so that the disk holds the model file and one shard, or two where there is room.
 */
import { rm, stat, statfs } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { openPartialConversion, type PartialConversion } from '@gptj-cloud/checkpoint';
import { gigabytes } from '@gptj-cloud/engine';
import { readSafeBytes } from '../download/journal.ts';
import { checkDisk, RESERVE_BYTES } from './check-disk.ts';
import { type DownloadFilesOptions, downloadFiles, type SizedFile } from './download-files.ts';
import type { TypePlan } from './plan-type.ts';
import { announce, bytesLeft, quantiserFor, type StoreTarget } from './store-folder.ts';

export interface ShardsPull {
  /** With config, tokenizer and index; the shards come here. */
  readonly folder: string;
  /** Path of the model file. */
  readonly converted: string;
  /** The first one has layer 0, which says of which type the weights are. */
  readonly shards: readonly SizedFile[];
  readonly download: Omit<DownloadFilesOptions, 'onComplete' | 'isDone' | 'onProgress' | 'signal'>;
  readonly target: StoreTarget;
}

/** Leaves the model file in `converted`. Throws as `downloadFiles` and `convertCheckpoint` do; the next call goes on. */
export async function pullShards(pull: ShardsPull, plan: TypePlan): Promise<void> {
  const { folder, converted, shards, download, target } = pull;
  const { onEvent, signal } = target;
  if (await exists(converted)) return;
  let isDownloading = true;
  const stop = new AbortController();
  const both = AbortSignal.any([signal, stop.signal]);
  const conversion = await openPartialConversion({
    folder,
    target: converted,
    type: plan.type,
    ...quantiserFor(plan.type),
    onProgress: (progress) => {
      // The bytes of the download are what is shown as long as there are any.
      if (!isDownloading) onEvent({ type: 'convert', ...progress });
    },
    onWarning: (message) => onEvent({ type: 'warning', message }),
    signal: both,
  });
  let converting: Promise<void> = Promise.resolve();
  try {
    // A process that was killed in between has left the shard that it had converted.
    for (const { path } of shards) if (conversion.has(path)) await rm(path, { force: true });
    const isOverlapping = await hasRoom(pull, plan, conversion);
    announce(target, plan, await bytesLeft(shards.filter(({ path }) => !conversion.has(path))));
    await downloadFiles(shards, {
      ...download,
      signal: both,
      isDone: (path) => conversion.has(path),
      onProgress: (doneBytes, totalBytes, file) => onEvent({ type: 'download', doneBytes, totalBytes, file }),
      async onComplete(path) {
        await converting;
        converting = convertAndRemove(conversion, folder, path);
        // A failure is thrown by the next await, and ends the download that goes on meanwhile.
        converting.catch((error: unknown) => stop.abort(error));
        if (!isOverlapping) await converting;
      },
    });
    isDownloading = false;
    await converting;
    await conversion.finish();
  } catch (error) {
    // The conversion that goes on has a complete shard: it ends. Where it fails, the download was stopped for it.
    await converting;
    throw error;
  } finally {
    await converting.catch(() => {});
    await conversion.close();
  }
}

async function convertAndRemove(conversion: PartialConversion, folder: string, path: string): Promise<void> {
  const file = basename(path);
  if (!conversion.has(file)) await conversion.convert(file);
  await rm(join(folder, file), { force: true });
}

/** Whether the disk holds two shards beside the model file. Throws `disk_full` where it does not hold one. */
async function hasRoom(
  { converted, shards, target: { models } }: ShardsPull,
  { type, fileBytes }: TypePlan,
  conversion: PartialConversion,
): Promise<boolean> {
  const sizes = shards
    .flatMap(({ path, sizeBytes }) => (conversion.has(path) ? [] : [sizeBytes]))
    .sort((a, b) => b - a);
  const [largest = 0, second = 0] = sizes;
  // Blocks of the model file that have been written, and shards that are here wholly or in part, need no room any more.
  const blocks = await stat(`${converted}.part`).then(
    (found) => found.blocks * 512,
    () => 0,
  );
  const here = await Promise.all(shards.map(bytesHere));
  const present =
    Math.min(blocks, fileBytes) +
    Math.min(
      here.reduce((sum, bytes) => sum + bytes, 0),
      largest,
    );
  const parts = `${gigabytes(fileBytes)} for the ${type} file and ${gigabytes(largest)} for the largest of ${shards.length} shards, less ${gigabytes(present)} that are here`;
  await checkDisk(models, fileBytes + largest - present, parts);
  const { bavail, bsize } = await statfs(models);
  return bavail * bsize >= fileBytes + largest + second - present + RESERVE_BYTES;
}

async function bytesHere({ path }: SizedFile): Promise<number> {
  const complete = await stat(path).catch(() => null);
  return complete?.size ?? (await readSafeBytes(`${path}.journal`));
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}
