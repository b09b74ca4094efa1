/**
 * Decompresses Zstandard (RFC 8878) with bounded memory: a stream is cut into its frames and blocks first, so that the
 * window of every frame is checked before it is decompressed, and a block at a time is, of at most 128 KiB of output.
 */
import { Readable, type Transform } from 'node:stream';
import * as zlib from 'node:zlib';
import { Decompress } from 'fzstd';
import { CheckpointError } from '../checkpoint-error.ts';
import { ByteQueue } from './byte-queue.ts';

export const ZSTD_MAGIC: readonly number[] = [0x28, 0xb5, 0x2f, 0xfd];

/** The bound of the command zstd without `--long`. */
const MAX_WINDOW_BYTES = 128 * 1024 * 1024;
const MAX_BLOCK_BYTES = 128 * 1024;

/** A piece of a frame. */
interface Unit {
  readonly bytes: Uint8Array;
  /** Whether a frame begins or ends with it. */
  readonly begins: boolean;
  readonly ends: boolean;
}

/** The decompressed chunks of a stream. Throws `malformed`, `truncated`, `unsupported`, `too_large`. */
export async function* decompressZstd(file: string, compressed: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const units = zstdUnits(file, new ByteQueue(compressed));
  try {
    // Node has it from 22.15 on; its types of version 20 do not.
    const create: unknown = Reflect.get(zlib, 'createZstdDecompress');
    yield* typeof create === 'function' ? decompressByNode(create(), units) : decompressByFzstd(units);
  } catch (error) {
    if (error instanceof CheckpointError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new CheckpointError('malformed', { file }, `expected Zstandard data: ${reason}`, { cause: error });
  }
}

async function* decompressByNode(stream: Transform, units: AsyncIterable<Unit>): AsyncGenerator<Uint8Array> {
  const bytes = async function* (): AsyncGenerator<Uint8Array> {
    for await (const unit of units) yield unit.bytes;
  };
  const source = Readable.from(bytes(), { objectMode: false });
  source.on('error', (error) => stream.destroy(error));
  try {
    for await (const chunk of source.pipe(stream)) yield chunk;
  } finally {
    source.destroy();
  }
}

async function* decompressByFzstd(units: AsyncIterable<Unit>): AsyncGenerator<Uint8Array> {
  let out: Uint8Array[] = [];
  let frame = new Decompress();
  for await (const { bytes, begins, ends } of units) {
    if (begins) frame = new Decompress((chunk) => out.push(chunk));
    frame.push(bytes, ends);
    const chunks = out;
    out = [];
    for (const chunk of chunks) if (chunk.byteLength > 0) yield chunk;
  }
}

/** Headers of frames and single blocks, checked; skippable frames are left out. */
async function* zstdUnits(file: string, queue: ByteQueue): AsyncGenerator<Unit> {
  const exactly = async (count: number): Promise<Uint8Array> => {
    const bytes = await queue.take(count);
    if (bytes.byteLength === count) return bytes;
    throw new CheckpointError('truncated', { file }, `expected more Zstandard data after byte ${queue.taken}`);
  };
  try {
    for (;;) {
      const magic = await queue.take(4);
      if (magic.byteLength === 0) return;
      if (
        magic.byteLength === 4 &&
        (magic[0]! & 0xf0) === 0x50 &&
        magic[1] === 0x2a &&
        magic[2] === 0x4d &&
        magic[3] === 0x18
      ) {
        await skip(exactly, viewOf(await exactly(4)).getUint32(0, true));
        continue;
      }
      if (magic.byteLength < 4 || ZSTD_MAGIC.some((byte, i) => magic[i] !== byte)) {
        throw new CheckpointError(
          'malformed',
          { file },
          `expected a Zstandard frame at byte ${queue.taken - magic.byteLength}`,
        );
      }
      const { bytes, hasChecksum } = await readFrameHeader(file, magic, exactly);
      yield { bytes, begins: true, ends: false };
      for (let isLast = false; !isLast; ) {
        const header = await exactly(3);
        const fields = header[0]! | (header[1]! << 8) | (header[2]! << 16);
        isLast = (fields & 1) === 1;
        const type = (fields >> 1) & 3;
        const size = fields >> 3;
        if (type === 3 || size > MAX_BLOCK_BYTES) {
          throw new CheckpointError(
            'malformed',
            { file },
            `expected a block of at most ${MAX_BLOCK_BYTES} bytes, got ${size} (type ${type})`,
          );
        }
        const body = await exactly(type === 1 ? 1 : size);
        const checksum = isLast && hasChecksum ? await exactly(4) : new Uint8Array(0);
        yield { bytes: Buffer.concat([header, body, checksum]), begins: false, ends: isLast };
      }
    }
  } finally {
    await queue.close();
  }
}

async function skip(exactly: (count: number) => Promise<Uint8Array>, count: number): Promise<void> {
  for (let left = count; left > 0; left -= MAX_BLOCK_BYTES) await exactly(Math.min(left, MAX_BLOCK_BYTES));
}

async function readFrameHeader(
  file: string,
  magic: Uint8Array,
  exactly: (count: number) => Promise<Uint8Array>,
): Promise<{ readonly bytes: Uint8Array; readonly hasChecksum: boolean }> {
  const descriptor = (await exactly(1))[0]!;
  const isSingle = ((descriptor >> 5) & 1) === 1;
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3]!;
  const sizeBytes = [isSingle ? 1 : 0, 2, 4, 8][descriptor >> 6]!;
  if (((descriptor >> 3) & 1) === 1) {
    throw new CheckpointError('malformed', { file }, 'expected the reserved bit of a frame to be 0, got 1');
  }
  if (dictionaryBytes > 0) {
    throw new CheckpointError(
      'unsupported',
      { file },
      'expected a frame without a dictionary, got one that names a dictionary',
    );
  }
  const window = await exactly(isSingle ? 0 : 1);
  const size = await exactly(sizeBytes);
  const content = size.reduceRight((sum, byte) => sum * 256 + byte, 0);
  const base = 2 ** (10 + ((window[0] ?? 0) >> 3));
  const windowBytes = isSingle ? content + (sizeBytes === 2 ? 256 : 0) : base + (base / 8) * ((window[0] ?? 0) & 7);
  if (windowBytes > MAX_WINDOW_BYTES) {
    throw new CheckpointError(
      'too_large',
      { file },
      `expected a window of at most ${MAX_WINDOW_BYTES} bytes, got ${windowBytes}; decompress it with zstd --long=31`,
    );
  }
  return {
    bytes: Buffer.concat([magic, Uint8Array.of(descriptor), window, size]),
    hasChecksum: ((descriptor >> 2) & 1) === 1,
  };
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
