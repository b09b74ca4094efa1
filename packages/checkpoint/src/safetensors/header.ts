/**
 * The safetensors format: eight bytes of header length (little-endian), a JSON object from tensor name to
 * {dtype, shape, data_offsets}, then the data. https://github.com/huggingface/safetensors, format section.
 */
import type { BoundedFile } from '../bounded-file.ts';
import { CheckpointError } from '../checkpoint-error.ts';
import { MAX_DIMENSIONS, MAX_TENSORS, type StoredTensor } from '../stored-tensor.ts';
import { elementCount, type FloatType } from '../tensor-type.ts';

/** GPT-J-6B needs 30 kB. */
const MAX_HEADER_BYTES = 16 * 1024 * 1024;

const ITEM_BYTES: ReadonlyMap<string, number> = new Map([
  ['F64', 8],
  ['I64', 8],
  ['U64', 8],
  ['F32', 4],
  ['I32', 4],
  ['U32', 4],
  ['F16', 2],
  ['BF16', 2],
  ['I16', 2],
  ['U16', 2],
  ['I8', 1],
  ['U8', 1],
  ['BOOL', 1],
]);

const FLOAT_TYPES: ReadonlyMap<string, FloatType> = new Map([
  ['F32', 'f32'],
  ['F16', 'f16'],
  ['BF16', 'bf16'],
]);

/** Throws `malformed`, `too_large`, `truncated`, `unsupported`, `duplicate_tensor`, `wrong_shape`. */
export async function readSafetensorsHeader(file: BoundedFile): Promise<readonly StoredTensor[]> {
  const place = { file: file.path };
  const prefix = new Uint8Array(8);
  await file.read(0, prefix);
  const length = new DataView(prefix.buffer).getBigUint64(0, true);
  if (length > BigInt(MAX_HEADER_BYTES)) {
    throw new CheckpointError(
      'too_large',
      place,
      `expected a header of at most ${MAX_HEADER_BYTES} bytes, got ${length}`,
    );
  }
  const headerBytes = new Uint8Array(Number(length));
  await file.read(8, headerBytes);
  let text: string;
  let header: unknown;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(headerBytes);
    header = JSON.parse(text);
  } catch (error) {
    throw new CheckpointError('malformed', place, 'expected a JSON header', { cause: error });
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header)) {
    throw new CheckpointError('malformed', place, 'expected the header to be a JSON object');
  }
  const entries = Object.entries(header);
  if (entries.length > MAX_TENSORS) {
    throw new CheckpointError('too_large', place, `expected at most ${MAX_TENSORS} tensors, got ${entries.length}`);
  }
  // JSON.parse keeps the last of two equal keys and says nothing.
  const duplicate = firstDuplicateKey(text);
  if (duplicate !== null) {
    throw new CheckpointError('duplicate_tensor', { ...place, tensor: duplicate }, 'expected one entry, got two');
  }
  const dataStart = 8 + headerBytes.byteLength;
  const tensors = entries
    .filter(([name]) => name !== '__metadata__')
    .map(([name, entry]) => parseEntry(file, name, entry, dataStart));
  checkOverlap(file, tensors);
  return tensors;
}

function parseEntry(file: BoundedFile, name: string, entry: unknown, dataStart: number): StoredTensor {
  const place = { file: file.path, tensor: name };
  if (
    typeof entry !== 'object' ||
    entry === null ||
    !('dtype' in entry && 'shape' in entry && 'data_offsets' in entry)
  ) {
    throw new CheckpointError('malformed', place, 'expected {dtype, shape, data_offsets}');
  }
  const { dtype, shape, data_offsets: offsets } = entry;
  if (typeof dtype !== 'string') throw new CheckpointError('malformed', place, 'expected dtype to be a string');
  const itemBytes = ITEM_BYTES.get(dtype);
  if (itemBytes === undefined) {
    throw new CheckpointError(
      'unsupported',
      place,
      `expected dtype F32, F16 or BF16, got ${JSON.stringify(dtype.slice(0, 40))}`,
    );
  }
  if (!isSizes(shape) || shape.length > MAX_DIMENSIONS) {
    throw new CheckpointError('malformed', place, `expected shape to be at most ${MAX_DIMENSIONS} whole numbers`);
  }
  if (!isSizes(offsets) || offsets.length !== 2) {
    throw new CheckpointError('malformed', place, 'expected data_offsets to be [start, end]');
  }
  const [start = 0, end = 0] = offsets;
  const sizeBytes = elementCount(shape) * itemBytes;
  if (end - start !== sizeBytes) {
    throw new CheckpointError(
      'wrong_shape',
      place,
      `expected ${sizeBytes} bytes for shape [${shape}] of ${dtype}, got ${end - start} (offsets ${start} to ${end})`,
    );
  }
  if (dataStart + end > file.sizeBytes) {
    throw new CheckpointError(
      'truncated',
      place,
      `expected data up to byte ${dataStart + end}, got a file of ${file.sizeBytes} bytes`,
    );
  }
  return { name, shape, storedType: dtype, type: FLOAT_TYPES.get(dtype) ?? null, offset: dataStart + start, sizeBytes };
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}

function checkOverlap(file: BoundedFile, tensors: readonly StoredTensor[]): void {
  const byOffset = tensors.filter((tensor) => tensor.sizeBytes > 0).sort((a, b) => a.offset - b.offset);
  for (let i = 1; i < byOffset.length; i++) {
    const before = byOffset[i - 1]!;
    const tensor = byOffset[i]!;
    if (tensor.offset < before.offset + before.sizeBytes) {
      throw new CheckpointError(
        'malformed',
        { file: file.path, tensor: tensor.name },
        `expected data of its own, got bytes that also belong to ${before.name}`,
      );
    }
  }
}

/** The first key that the outermost object of this valid JSON text holds twice. */
function firstDuplicateKey(json: string): string | null {
  const seen = new Set<string>();
  let depth = 0;
  let expectKey = false;
  for (let i = 0; i < json.length; i++) {
    const character = json[i];
    if (character === '"') {
      const start = i;
      for (i++; json[i] !== '"'; i++) if (json[i] === '\\') i++;
      if (depth === 1 && expectKey) {
        const key = String(JSON.parse(json.slice(start, i + 1)));
        if (seen.has(key)) return key;
        seen.add(key);
        expectKey = false;
      }
    } else if (character === '{' || character === '[') {
      depth++;
      expectKey = depth === 1;
    } else if (character === '}' || character === ']') {
      depth--;
    } else if (character === ',') {
      expectKey = depth === 1;
    }
  }
  return null;
}
