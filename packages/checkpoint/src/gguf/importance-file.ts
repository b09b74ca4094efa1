/**
 * An importance matrix in the format of llama.cpp's llama-imatrix (tools/imatrix of v0.5.0): a GGUF file of type `imatrix`
 * with `NAME.in_sum2` and `NAME.counts` for each matrix.
 */
import { BoundedFile } from '../bounded-file.ts';
import { CheckpointError } from '../checkpoint-error.ts';
import type { ImportanceEntry, ImportanceMatrix } from '../importance.ts';
import { type GgufTensorInfo, readGgufHeader } from './header.ts';
import { type GgufMetadata, metadataNumber, metadataString } from './metadata.ts';
import { GgufWriter } from './writer.ts';

const SUMS = '.in_sum2';
const COUNTS = '.counts';
/** The widest row of a model that is read; see the bounds of the config. */
const MAX_COLUMNS = 2 ** 20;

/** Throws `target_exists`, `disk_full`, `not_found`, `io`. */
export async function writeImportance(
  path: string,
  { chunkCount, chunkSize, entries }: ImportanceMatrix,
  options: { readonly dataset: string; readonly overwrite?: boolean },
): Promise<void> {
  const metadata: GgufMetadata = new Map([
    ['general.type', { type: 'string', value: 'imatrix' }],
    ['imatrix.datasets', { type: 'array', of: 'string', value: [options.dataset] }],
    ['imatrix.chunk_count', { type: 'uint32', value: chunkCount }],
    ['imatrix.chunk_size', { type: 'uint32', value: chunkSize }],
  ]);
  const parts = [...entries].flatMap(([name, { squares, rows }]) => [
    { name: `${name}${SUMS}`, shape: [1, squares.length], values: squares },
    { name: `${name}${COUNTS}`, shape: [1, 1], values: Float32Array.of(rows) },
  ]);
  const writer = await GgufWriter.create(path, {
    metadata,
    tensors: parts.map(({ name, shape }) => ({ name, shape, type: 'f32' })),
    overwrite: options.overwrite ?? false,
  });
  try {
    for (const { values } of parts) {
      await writer.write(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    }
    await writer.finish();
  } catch (error) {
    await writer.abort();
    throw error;
  }
}

/** Throws `unsupported` for another file, `malformed`, `wrong_shape`, `out_of_range`, and the errors of the header. */
export async function readImportance(path: string): Promise<ImportanceMatrix> {
  const file = await BoundedFile.open(path);
  try {
    const { metadata, tensors } = await readGgufHeader(file);
    const type = metadataString(metadata, 'general.type');
    if (type !== 'imatrix') {
      const got = type ?? metadataString(metadata, 'general.architecture') ?? 'none';
      throw new CheckpointError(
        'unsupported',
        { file: path },
        `expected an importance matrix (general.type imatrix), got ${got.slice(0, 40)}`,
      );
    }
    const byName = new Map(tensors.map((tensor) => [tensor.name, tensor]));
    const entries = new Map<string, ImportanceEntry>();
    for (const tensor of tensors) {
      if (!tensor.name.endsWith(SUMS)) continue;
      const name = tensor.name.slice(0, -SUMS.length);
      entries.set(name, await readEntry(file, tensor, byName.get(`${name}${COUNTS}`)));
    }
    return {
      chunkCount: metadataNumber(metadata, 'imatrix.chunk_count') ?? 0,
      chunkSize: metadataNumber(metadata, 'imatrix.chunk_size') ?? 0,
      entries,
    };
  } finally {
    await file.close();
  }
}

async function readEntry(
  file: BoundedFile,
  sums: GgufTensorInfo,
  counts: GgufTensorInfo | undefined,
): Promise<ImportanceEntry> {
  const place = { file: file.path, tensor: sums.name };
  const columns = sums.shape.at(-1) ?? 0;
  const isPlain = sums.type === 'f32' && sums.shape.slice(0, -1).every((size) => size === 1);
  if (!isPlain || columns === 0 || columns > MAX_COLUMNS) {
    throw new CheckpointError('wrong_shape', place, `expected one row of float32 numbers, got [${sums.shape}]`);
  }
  if (counts?.type !== 'f32' || counts.shape.some((size) => size !== 1)) {
    throw new CheckpointError('malformed', place, `expected a tensor ${COUNTS} of one float32 number beside it`);
  }
  const squares = await readFloats(file, sums.offset, columns);
  const [rows = 0] = await readFloats(file, counts.offset, 1);
  if (!(rows > 0 && Number.isFinite(rows) && squares.every((value) => value >= 0 && Number.isFinite(value)))) {
    throw new CheckpointError(
      'out_of_range',
      place,
      'expected finite numbers of at least 0, and inputs that were counted',
    );
  }
  return { squares, rows };
}

async function readFloats(file: BoundedFile, offset: number, count: number): Promise<Float32Array> {
  const values = new Float32Array(count);
  await file.read(offset, new Uint8Array(values.buffer));
  return values;
}
