/**
 * Downloads weights in one file and converts them meanwhile, tensor after tensor as their bytes become safe. The model file
 * gets its name only when the hash of the download has been found right: until then its tensors count for nothing, and a process
 * that follows a killed one converts them again from the disk.
 */
import { basename } from 'node:path';
import { type GrowingFile, openPartialConversion, type PartialConversion } from '@gptj-cloud/checkpoint';
import { type DownloadFilesOptions, downloadFiles, type SizedFile } from './download-files.ts';
import type { TypePlan } from './plan-type.ts';
import { quantiserFor, type StoreTarget } from './store-folder.ts';

export interface GrowingPull {
  /** With config and tokenizer; the weights come here. */
  readonly folder: string;
  /** Path of the model file. */
  readonly converted: string;
  readonly file: SizedFile;
  readonly download: Omit<DownloadFilesOptions, 'onOpen' | 'onProgress' | 'signal'>;
  readonly target: StoreTarget;
}

/** Leaves the model file in `converted`. Throws as `downloadFiles` and `convertCheckpoint` do; the next call goes on. */
export async function pullGrowing(
  { folder, converted, file, download, target }: GrowingPull,
  { type }: TypePlan,
): Promise<void> {
  const { onEvent, signal } = target;
  const name = basename(file.path);
  const warnings = new Set<string>();
  let isDownloading = true;
  const conversion = await openPartialConversion({
    folder,
    target: converted,
    type,
    ...quantiserFor(type),
    onProgress: (progress) => {
      // The bytes of the download are what is shown as long as there are any.
      if (!isDownloading) onEvent({ type: 'convert', ...progress });
    },
    // A conversion that begins anew gives the same ones.
    onWarning: (message) => {
      if (!warnings.has(message)) onEvent({ type: 'warning', message });
      warnings.add(message);
    },
    signal,
  });
  let attempt: Attempt | null = null;
  try {
    await downloadFiles([file], {
      ...download,
      signal,
      onProgress: (doneBytes, totalBytes, shown) => onEvent({ type: 'download', doneBytes, totalBytes, file: shown }),
      async onOpen(growing) {
        await attempt?.end();
        attempt = begin(conversion, name, growing);
        await attempt.opened;
      },
    });
    isDownloading = false;
    const begun = attempt as Attempt | null;
    begun?.verify();
    // A conversion that failed before may have read wrong bytes: only now its error counts. A complete file had no attempt.
    await (begun === null ? conversion.convert(name) : begun.done);
    await conversion.finish();
  } catch (error) {
    await (attempt as Attempt | null)?.end();
    throw error;
  } finally {
    await conversion.close();
  }
}

/** The conversion of one download of the file. */
interface Attempt {
  readonly done: Promise<void>;
  /** The file is open, and may get another name. */
  readonly opened: Promise<void>;
  /** The hash of the file is right. */
  verify(): void;
  /** Give it up. */
  end(): Promise<void>;
}

function begin(conversion: PartialConversion, name: string, growing: Pick<GrowingFile, 'path' | 'waitFor'>): Attempt {
  const stop = new AbortController();
  let verify = (): void => {};
  const verified = new Promise<void>((resolve, reject) => {
    verify = resolve;
    stop.signal.addEventListener('abort', () => reject(stop.signal.reason), { once: true });
  });
  verified.catch(() => {});
  let onOpened = (): void => {};
  const opened = new Promise<void>((resolve) => {
    onOpened = resolve;
  });
  const { path } = growing;
  const watched: GrowingFile = { path, waitFor: (start, end) => growing.waitFor(start, end), onOpened };
  const done = conversion.convertGrowing(name, watched, { verified, signal: stop.signal });
  // It is awaited when the download has ended.
  done.catch(() => {});
  return {
    done,
    opened: Promise.race([opened, done.catch(() => {})]),
    verify,
    async end() {
      stop.abort();
      await done.catch(() => {});
    },
  };
}
