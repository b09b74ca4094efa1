import { rm, stat } from 'node:fs/promises';
import { ModelStoreError } from '../model-store-error.ts';
import { TransientError } from './backoff.ts';
import { type HttpOptions, withoutQuery } from './http.ts';
import type { JournalIdentity } from './journal.ts';
import { PartialFile } from './partial-file.ts';
import { type Checksum, type FileFacts, RemoteFile } from './remote-file.ts';

export interface DownloadOptions {
  readonly http: HttpOptions;
  readonly url: string;
  /** Where the file appears under its name when it is complete. */
  readonly path: string;
  /** What a listing says of the file; the server must agree. */
  readonly expected: { readonly sizeBytes: number | null; readonly checksum: Checksum | null };
  readonly maxBytes: number;
  /** Default `DOWNLOAD_SIZES`. */
  readonly sizes?: DownloadSizes;
  readonly signal: AbortSignal;
  /**
   * The download begins, or begins anew since the hash was wrong. The start and the end of the file are fetched first, where
   * formats say what is between.
   */
  readonly onOpen?: (file: Pick<PartialFile, 'path' | 'waitFor'>) => Promise<void>;
  /** Number of bytes that are safe on the disk. Never falls. */
  readonly onSafe: (bytes: number) => void;
}

/** How a file is divided. */
export interface DownloadSizes {
  /** Of one file. Each holds a piece of the body at a time, about 64 KiB. */
  readonly connections: number;
  /** What one request asks for at most. */
  readonly segmentBytes: number;
  /** Between two lines of the journal. */
  readonly journalBytes: number;
}

const DOWNLOAD_SIZES: DownloadSizes = { connections: 6, segmentBytes: 64 * 2 ** 20, journalBytes: 8 * 2 ** 20 };
/** Downloads of a file whose bytes do not have the expected hash. */
const MAX_ATTEMPTS = 3;

/**
 * Download a file, going on where an earlier process stopped. Does nothing where it is complete. Throws `ModelStoreError`;
 * what has arrived stays for the next call.
 */
export async function downloadFile(options: DownloadOptions): Promise<void> {
  const { http, url, path, signal, onSafe, sizes = DOWNLOAD_SIZES } = options;
  const present = await stat(path).then(
    (found) => found.size,
    () => null,
  );
  if (present !== null) {
    onSafe(present);
    return;
  }
  let reached = 0;
  const report = (bytes: number): void => {
    reached = Math.max(reached, bytes);
    onSafe(reached);
  };
  for (let attempt = 1; ; attempt++) {
    const stop = new AbortController();
    const remote = new RemoteFile(http, url, AbortSignal.any([signal, stop.signal]));
    const facts = checkFacts(options, await remote.facts());
    const partial = await PartialFile.open(path, {
      identity: identityOf(facts, sizes),
      journalBytes: sizes.journalBytes,
      onSafe: report,
    });
    let wrong: string | null;
    try {
      await options.onOpen?.(partial);
      await fetchAll(remote, partial, {
        connections: facts.hasRanges ? sizes.connections : 1,
        endsFirst: options.onOpen !== undefined,
        stop,
      });
      wrong = await partial.finish();
    } catch (error) {
      // Nothing that has arrived is fetched again.
      await partial.flush().catch(() => {});
      throw signal.aborted ? new ModelStoreError('aborted', 'the download was stopped', { cause: error }) : error;
    } finally {
      await partial.close();
    }
    if (wrong === null) return;
    await rm(`${path}.journal`, { force: true });
    await rm(`${path}.part`, { force: true });
    const { checksum } = facts;
    const mismatch = `${withoutQuery(url)}: expected the ${checksum?.algorithm === 'git' ? 'blob' : 'SHA-256'} ${checksum?.hex}, got ${wrong}`;
    if (attempt === MAX_ATTEMPTS) {
      throw new ModelStoreError(
        'hash_mismatch',
        `${mismatch}, ${MAX_ATTEMPTS} times; a proxy or the disk changes the bytes`,
      );
    }
    http.onWait(`${mismatch}; it is downloaded again`, 0);
  }
}

type SizedFacts = FileFacts & { readonly sizeBytes: number };

function checkFacts({ url, expected, maxBytes }: DownloadOptions, facts: FileFacts): SizedFacts {
  const shown = withoutQuery(url);
  const { sizeBytes } = facts;
  if (sizeBytes === null)
    throw new ModelStoreError('reply_invalid', `${shown}: expected the size of the file, got none`);
  if (expected.sizeBytes !== null && expected.sizeBytes !== sizeBytes) {
    throw new ModelStoreError(
      'reply_invalid',
      `${shown}: expected ${expected.sizeBytes} bytes, as the listing says, got ${sizeBytes}`,
    );
  }
  if (sizeBytes > maxBytes) {
    throw new ModelStoreError('reply_invalid', `${shown}: expected at most ${maxBytes} bytes, got ${sizeBytes}`);
  }
  const listed = expected.checksum;
  const checksum = listed ?? facts.checksum;
  if (listed !== null && facts.checksum?.algorithm === listed.algorithm && facts.checksum.hex !== listed.hex) {
    throw new ModelStoreError(
      'reply_invalid',
      `${shown}: expected the hash ${listed.hex}, as the listing says, got ${facts.checksum.hex}`,
    );
  }
  return { ...facts, sizeBytes, checksum };
}

function identityOf(
  { sizeBytes, checksum, etag, hasRanges }: SizedFacts,
  { segmentBytes }: DownloadSizes,
): JournalIdentity {
  return {
    sizeBytes,
    checksum,
    // A hash identifies the file by itself; the storage of a hub may change its ETag.
    etag: checksum === null ? etag : null,
    segmentBytes: hasRanges ? segmentBytes : Math.max(1, sizeBytes),
  };
}

/** Fetch all segments, in order or both ends first, several at a time. The first error stops the other connections. */
async function fetchAll(
  remote: RemoteFile,
  partial: PartialFile,
  {
    connections,
    endsFirst,
    stop,
  }: { readonly connections: number; readonly endsFirst: boolean; readonly stop: AbortController },
): Promise<void> {
  const inOrder = Array.from({ length: partial.segments }, (_, segment) => segment);
  // The last one may be short: the directory at the end of a file can begin in the one before.
  const order = endsFirst ? [...new Set([0, ...inOrder.slice(-2), ...inOrder])] : inOrder;
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < order.length) await fetchSegment(remote, partial, order[next++]!);
  };
  const errors: unknown[] = [];
  await Promise.all(
    Array.from({ length: Math.min(connections, partial.segments) }, () =>
      work().catch((error: unknown) => {
        errors.push(error);
        stop.abort();
      }),
    ),
  );
  if (errors.length > 0) throw errors[0];
}

async function fetchSegment(remote: RemoteFile, partial: PartialFile, segment: number): Promise<void> {
  const backoff = remote.backoff();
  for (;;) {
    const { start, end } = partial.missing(segment);
    if (start === end) return;
    try {
      const { offset, pieces } = await remote.open(start, end);
      let skipped = start - offset;
      for await (const piece of pieces) {
        const wanted = piece.subarray(Math.min(skipped, piece.byteLength));
        skipped -= piece.byteLength - wanted.byteLength;
        if (wanted.byteLength === 0) continue;
        await partial.write(segment, wanted);
        backoff.succeeded();
      }
      const { start: reached } = partial.missing(segment);
      if (reached < end) throw new TransientError(`the connection ended at byte ${reached} of ${end}`);
    } catch (error) {
      await backoff.failed(error);
    }
  }
}
