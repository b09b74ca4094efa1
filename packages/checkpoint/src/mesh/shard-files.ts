/** Finds the files of the shards: in a folder, in a tar archive, and in a compressed one. */
import { randomBytes } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { type FileHandle, open, readdir, rm, statfs } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { ByteQueue } from '../archive/byte-queue.ts';
import { paddedBytes, readTarHeader } from '../archive/tar.ts';
import { decompressZstd } from '../archive/zstd.ts';
import { BoundedFile, errnoOf, sliceOf } from '../bounded-file.ts';
import { CheckpointError } from '../checkpoint-error.ts';
import { hasWeights } from '../shards.ts';
import { parseShardPath, type ShardFile } from './leaves.ts';

/** The shards of one checkpoint. */
export interface ShardSet {
  readonly files: readonly ShardFile[];
  /** `tar`, `tar.zst`; null for a folder. */
  readonly container: string | null;
  readonly close: () => Promise<void>;
}

/** A shard of GPT-J-6B has 16 files of 95 MB in a slim checkpoint and of 480 MB in a full one. */
const MAX_FILE_BYTES = 8 * 2 ** 30;
const MAX_MEMBERS = 1 << 16;

/** Twice a full checkpoint of GPT-J-6B. */
const MAX_ARCHIVE_BYTES = 2 ** 37;

/** Free space that remains on the disk of the temporary file. */
const SPARE_BYTES = 2 ** 30;

/** Bytes between two checks of the free space. */
const SPACE_CHECK_BYTES = 2 ** 28;

/** Shards of the architecture that came after GPT-J in the same repository. */
const V2_SHARD = /(?:^|\/)params\/shard_\d+\.npz$/;

/** The folder itself if it has shards, or the one folder `step_N` in it; null for the folder of another checkpoint. */
export async function findShardFolder(folder: string): Promise<string | null> {
  if (hasWeights(folder)) return null;
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  if (names.includes('shard_0') || isV2(folder)) return folder;
  const steps = names.filter((name) => /^step_\d+$/.test(name));
  if (steps.length > 1) {
    throw new CheckpointError(
      'unsupported',
      { file: folder },
      `expected one step, got ${steps.sort().join(', ')}; name the folder of one of them`,
    );
  }
  const [step] = steps;
  return step === undefined ? null : join(folder, step);
}

/** The shards below a folder of {@link findShardFolder}. Throws `unsupported`, `not_found`. */
export async function openShardFolder(folder: string): Promise<ShardSet> {
  const opened: BoundedFile[] = [];
  const close = async (): Promise<void> => void (await Promise.all(opened.map((file) => file.close())));
  try {
    const files: ShardFile[] = [];
    const names = await readdir(folder);
    if (isV2(folder)) refuseV2(folder);
    for (const shardName of names) {
      if (!/^shard_\d+$/.test(shardName)) continue;
      for (const name of await readdir(join(folder, shardName))) {
        const place = parseShardPath(`${shardName}/${name}`);
        if (place === null) continue;
        const source = await BoundedFile.open(join(folder, shardName, name));
        opened.push(source);
        files.push({ ...place, source });
      }
    }
    return { files, container: null, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The shards in a tar archive, read at their places. Throws `malformed`, `truncated`, `unsupported`, `too_large`. */
export async function openShardTar(path: string): Promise<ShardSet> {
  const archive = await BoundedFile.open(path);
  try {
    let at = 0;
    const next = async (count: number): Promise<Uint8Array> => {
      const bytes = new Uint8Array(count);
      await archive.read(at, bytes);
      at += count;
      return bytes;
    };
    const files: ShardFile[] = [];
    for (let members = 0; at < archive.sizeBytes; members++) {
      const member = await readTarHeader(path, next);
      if (member === null) break;
      const place = checkMember(path, member, members);
      if (at + member.sizeBytes > archive.sizeBytes) {
        throw new CheckpointError(
          'truncated',
          { file: path },
          `expected ${member.sizeBytes} bytes for ${member.name}, got ${archive.sizeBytes - at}`,
        );
      }
      if (place !== null)
        files.push({ ...place, source: sliceOf(archive, `${path}/${member.name}`, at, member.sizeBytes) });
      at += paddedBytes(member.sizeBytes);
    }
    return { files, container: 'tar', close: () => archive.close() };
  } catch (error) {
    await archive.close();
    throw error;
  }
}

/**
 * The shards in a compressed tar archive, decompressed once to a temporary file in `spoolFolder`: the directory of an .npz
 * file is at its end, and every matrix needs all shards, of which the archive has one after the other. Decompression
 * takes minutes, the temporary file seconds. Its name is that of unfinished conversions, which later ones remove, and where
 * the system allows it the file has none while it is read.
 *
 * Throws `malformed`, `truncated`, `unsupported`, `too_large`, `disk_full`, `aborted`, `io`.
 */
export async function openShardTarZstd(path: string, spoolFolder: string, signal?: AbortSignal): Promise<ShardSet> {
  const spoolPath = join(spoolFolder, `.${basename(path)}.${randomBytes(6).toString('hex')}.partial`);
  const handle = await createSpool(path, spoolPath);
  let spool: BoundedFile | null = null;
  try {
    const members = await spoolMembers(path, handle, spoolPath, signal);
    await handle.close();
    const opened = await BoundedFile.open(spoolPath);
    spool = opened;
    // Windows removes only files that nothing has open: there it is removed at the end.
    await rm(spoolPath, { force: true }).catch(() => undefined);
    const files = members.map(({ name, offset, sizeBytes, ...place }) => ({
      ...place,
      source: sliceOf(opened, `${path}/${name}`, offset, sizeBytes),
    }));
    const close = async (): Promise<void> => {
      await opened.close();
      await rm(spoolPath, { force: true });
    };
    return { files, container: 'tar.zst', close };
  } catch (error) {
    await handle.close().catch(() => undefined);
    await spool?.close();
    await rm(spoolPath, { force: true });
    throw error;
  }
}

interface SpooledMember extends Pick<ShardFile, 'shard' | 'index'> {
  readonly name: string;
  readonly offset: number;
  readonly sizeBytes: number;
}

async function spoolMembers(
  path: string,
  spool: FileHandle,
  spoolPath: string,
  signal: AbortSignal | undefined,
): Promise<readonly SpooledMember[]> {
  const queue = new ByteQueue(decompressZstd(path, createReadStream(path, { highWaterMark: 2 ** 18 })));
  const next = async (count: number): Promise<Uint8Array> => {
    const bytes = await queue.take(count);
    if (bytes.byteLength === count) return bytes;
    throw new CheckpointError(
      'truncated',
      { file: path },
      `expected more data after byte ${queue.taken} of the archive`,
    );
  };
  const found: SpooledMember[] = [];
  let offset = 0;
  let checkedAt = Number.NEGATIVE_INFINITY;
  try {
    for (let members = 0; ; members++) {
      const member = await readTarHeader(path, next);
      if (member === null) return found;
      const place = checkMember(path, member, members);
      if (place !== null) found.push({ ...place, name: member.name, offset, sizeBytes: member.sizeBytes });
      let left = member.sizeBytes;
      while (left > 0) {
        if (signal?.aborted)
          throw new CheckpointError('aborted', { file: path }, 'the conversion was cancelled', {
            cause: signal.reason,
          });
        if (place !== null && offset - checkedAt >= SPACE_CHECK_BYTES) {
          await checkSpace(spoolPath);
          checkedAt = offset;
        }
        const bytes = await queue.some(left);
        if (queue.taken > MAX_ARCHIVE_BYTES) {
          throw new CheckpointError(
            'too_large',
            { file: path },
            `expected an archive of at most ${MAX_ARCHIVE_BYTES} bytes, got more`,
          );
        }
        if (bytes.byteLength === 0)
          throw new CheckpointError('truncated', { file: path }, `expected ${left} more bytes of ${member.name}`);
        left -= bytes.byteLength;
        if (place === null) continue;
        await writeAll(spool, spoolPath, bytes, offset);
        offset += bytes.byteLength;
      }
      await next(paddedBytes(member.sizeBytes) - member.sizeBytes);
    }
  } finally {
    await queue.close();
  }
}

async function writeAll(spool: FileHandle, spoolPath: string, bytes: Uint8Array, offset: number): Promise<void> {
  for (let done = 0; done < bytes.byteLength; ) {
    try {
      const { bytesWritten } = await spool.write(bytes, done, bytes.byteLength - done, offset + done);
      done += bytesWritten;
    } catch (error) {
      const isFull = errnoOf(error) === 'ENOSPC' || errnoOf(error) === 'EDQUOT';
      const message = 'could not write the decompressed checkpoint';
      throw new CheckpointError(isFull ? 'disk_full' : 'io', { file: spoolPath }, message, { cause: error });
    }
  }
}

async function createSpool(path: string, spoolPath: string): Promise<FileHandle> {
  try {
    return await open(spoolPath, 'wx', 0o600);
  } catch (error) {
    throw new CheckpointError('io', { file: path }, `could not create a temporary file in ${dirname(spoolPath)}`, {
      cause: error,
    });
  }
}

async function checkSpace(spoolPath: string): Promise<void> {
  const folder = dirname(spoolPath);
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize >= SPARE_BYTES) return;
  throw new CheckpointError(
    'disk_full',
    { file: folder },
    `expected ${SPARE_BYTES} free bytes for the decompressed checkpoint, got ${bavail * bsize}`,
  );
}

/** The shard's file that a member is; null for another member. Its name is only compared, never opened. */
function checkMember(
  path: string,
  { name, isFile, sizeBytes }: { readonly name: string; readonly isFile: boolean; readonly sizeBytes: number },
  members: number,
): Pick<ShardFile, 'shard' | 'index'> | null {
  if (V2_SHARD.test(name)) refuseV2(path);
  const place = isFile ? parseShardPath(name) : null;
  if (members >= MAX_MEMBERS || sizeBytes > MAX_FILE_BYTES) {
    throw new CheckpointError(
      'too_large',
      { file: path },
      `expected at most ${MAX_MEMBERS} members, and ${MAX_FILE_BYTES} bytes for ${JSON.stringify(name.slice(0, 200))}, got member ${members} of ${sizeBytes} bytes`,
    );
  }
  return place;
}

function isV2(folder: string): boolean {
  return existsSync(join(folder, 'params', 'shard_0.npz'));
}

function refuseV2(file: string): never {
  throw new CheckpointError(
    'unsupported',
    { file },
    'expected the shards of a GPT-J, got a CausalTransformerV2, which is another architecture',
  );
}
