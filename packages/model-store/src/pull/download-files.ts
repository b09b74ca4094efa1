import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { type DownloadOptions, type DownloadSizes, downloadFile } from '../download/download-file.ts';
import type { HttpOptions } from '../download/http.ts';
import { readSafeBytes } from '../download/journal.ts';
import { type Checksum, RemoteFile } from '../download/remote-file.ts';
import { linkCached } from '../hub/hub-cache.ts';

export interface WantedFile {
  readonly url: string;
  readonly path: string;
  /** As a listing has them. */
  readonly sizeBytes: number | null;
  readonly checksum: Checksum | null;
}

export type SizedFile = WantedFile & { readonly sizeBytes: number };

export interface DownloadFilesOptions {
  readonly http: HttpOptions;
  /** Hugging Face's cache and the repository in it; null: there is none. */
  readonly cache: { readonly folder: string; readonly repository: string } | null;
  /** Of one file. */
  readonly maxBytes: number;
  readonly sizes?: DownloadSizes;
  readonly signal: AbortSignal;
  readonly onProgress?: (doneBytes: number, totalBytes: number, file: string) => void;
  /** Whether a file was complete once and is not needed any more. */
  readonly isDone?: (path: string) => boolean;
  /** See `downloadFile`. */
  readonly onOpen?: DownloadOptions['onOpen'];
  /** A file is complete; the next one begins when this resolves. */
  readonly onComplete?: (path: string) => Promise<void>;
}

/** No checkpoint of a GPT-J is larger. */
export const MAX_WEIGHTS_BYTES: number = 2 ** 40;

/** Download files one after the other, each with several connections. Progress counts what earlier calls have left. */
export async function downloadFiles(files: readonly WantedFile[], options: DownloadFilesOptions): Promise<void> {
  const {
    http,
    cache,
    maxBytes,
    sizes: division,
    signal,
    onProgress,
    isDone = () => false,
    onOpen,
    onComplete,
  } = options;
  const sized = await withSizes(files, http, signal);
  const totalBytes = sized.reduce((sum, file) => sum + file.sizeBytes, 0);
  const done = await Promise.all(sized.map(({ path, sizeBytes }) => (isDone(path) ? sizeBytes : bytesOnDisk(path))));
  for (const [at, { url, path, checksum, sizeBytes }] of sized.entries()) {
    if (isDone(path)) continue;
    const isPresent = done[at] === sizeBytes;
    if (!isPresent && cache !== null && checksum !== null) {
      await linkCached(cache.folder, { repository: cache.repository, checksum, path }, signal);
    }
    await downloadFile({
      http,
      url,
      path,
      expected: { sizeBytes, checksum },
      maxBytes,
      ...(division === undefined ? {} : { sizes: division }),
      signal,
      ...(onOpen === undefined ? {} : { onOpen }),
      onSafe: (bytes) => {
        done[at] = Math.max(done[at]!, bytes);
        onProgress?.(
          done.reduce((sum, each) => sum + each, 0),
          totalBytes,
          basename(path),
        );
      },
    });
    await onComplete?.(path);
  }
}

/** The files with their sizes, for which servers are asked where a listing has none. */
export async function withSizes(
  files: readonly WantedFile[],
  http: HttpOptions,
  signal: AbortSignal,
): Promise<readonly SizedFile[]> {
  return await Promise.all(files.map(async (file) => ({ ...file, sizeBytes: await sizeOf(file, http, signal) })));
}

async function sizeOf({ url, path, sizeBytes }: WantedFile, http: HttpOptions, signal: AbortSignal): Promise<number> {
  if (sizeBytes !== null) return sizeBytes;
  const present = await stat(path).catch(() => null);
  return present?.size ?? (await new RemoteFile(http, url, signal).facts()).sizeBytes ?? 0;
}

/** Safe bytes of a file, complete or partial. */
async function bytesOnDisk(path: string): Promise<number> {
  const complete = await stat(path).catch(() => null);
  return complete?.size ?? (await readSafeBytes(`${path}.journal`));
}
