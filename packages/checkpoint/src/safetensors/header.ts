/**
 * The safetensors format: eight bytes of header length (little-endian), a JSON object from tensor name to
 * {dtype, shape, data_offsets}, then the data. https://github.com/huggingface/safetensors, format section.
 */
import { type BoundedFile, checkIsBinary, readStart } from '../bounded-file.ts';
import { CheckpointError } from '../checkpoint-error.ts';
import { FOREIGN_FILE_BYTES } from '../foreign-file.ts';
import {
  MAX_DIMENSIONS,
  MAX_TENSORS,
  rowMajorStrides,
  type StoredFloatType,
  type StoredTensor,
} from '../stored-tensor.ts';
import { elementCount } from '../tensor-type.ts';

/** GPT-J-6B needs 30 kB. */
const MAX_HEADER_BYTES = 16 * 1024 * 1024;

/** Bits of an element (`Dtype` of the safetensors crate 0.6). */
const ITEM_BITS: ReadonlyMap<string, number> = new Map([
  ['C64', 64],
  ['F64', 64],
  ['I64', 64],
  ['U64', 64],
  ['F32', 32],
  ['I32', 32],
  ['U32', 32],
  ['F16', 16],
  ['BF16', 16],
  ['I16', 16],
  ['U16', 16],
  ['F8_E5M2', 8],
  ['F8_E4M3', 8],
  ['F8_E8M0', 8],
  ['F8_E4M3FNUZ', 8],
  ['F8_E5M2FNUZ', 8],
  ['I8', 8],
  ['U8', 8],
  ['BOOL', 8],
  ['F6_E2M3', 6],
  ['F6_E3M2', 6],
  ['F4', 4],
]);

const FLOAT_TYPES: ReadonlyMap<string, StoredFloatType> = new Map([
  ['F64', 'f64'],
  ['F32', 'f32'],
  ['F16', 'f16'],
  ['BF16', 'bf16'],
]);

/** An entry and the offset of the end of its data. */
interface PlacedTensor extends StoredTensor {
  readonly endOffset: number;
}

/** Throws `malformed`, `too_large`, `truncated`, `unsupported`, `duplicate_tensor`, `wrong_shape`. */
export async function readSafetensorsHeader(file: BoundedFile): Promise<readonly StoredTensor[]> {
  const place = { file: file.path };
  checkIsBinary(file.path, await readStart(file, FOREIGN_FILE_BYTES));
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
  // JSON.parse silently keeps the last of two equal keys.
  const duplicate = firstDuplicateKey(text);
  if (duplicate !== null) {
    throw new CheckpointError('duplicate_tensor', { ...place, tensor: duplicate }, 'expected one entry, got two');
  }
  checkMetadata(file, entries);
  const dataStart = 8 + headerBytes.byteLength;
  const tensors = entries
    .filter(([name]) => name !== '__metadata__')
    .map(([name, entry]) => parseEntry(file, name, entry, dataStart));
  checkCoverage(file, dataStart, tensors);
  return tensors.map(({ endOffset: _, ...tensor }) => tensor);
}

/** The format allows only strings in `__metadata__`, and its library refuses other files. */
function checkMetadata(file: BoundedFile, entries: readonly (readonly [string, unknown])[]): void {
  const entry = entries.find(([name]) => name === '__metadata__');
  if (entry === undefined) return;
  const [, metadata] = entry;
  const isObject = typeof metadata === 'object' && metadata !== null && !Array.isArray(metadata);
  if (isObject && Object.values(metadata).every((value) => typeof value === 'string')) return;
  throw new CheckpointError(
    'malformed',
    { file: file.path },
    `expected __metadata__ to be an object of strings, got ${JSON.stringify(metadata).slice(0, 100)}`,
  );
}

function parseEntry(file: BoundedFile, name: string, entry: unknown, dataStart: number): PlacedTensor {
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
  const itemBits = ITEM_BITS.get(dtype);
  if (itemBits === undefined) {
    throw new CheckpointError(
      'unsupported',
      place,
      `expected dtype F64, F32, F16 or BF16, got ${JSON.stringify(dtype.slice(0, 40))}`,
    );
  }
  if (!isSizes(shape) || shape.length > MAX_DIMENSIONS) {
    throw new CheckpointError('malformed', place, `expected shape to be at most ${MAX_DIMENSIONS} whole numbers`);
  }
  if (!isSizes(offsets) || offsets.length !== 2) {
    throw new CheckpointError('malformed', place, 'expected data_offsets to be [start, end]');
  }
  const [start = 0, end = 0] = offsets;
  const sizeBytes = (elementCount(shape) * itemBits) / 8;
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
  return {
    name,
    shape,
    strides: rowMajorStrides(shape),
    storedType: dtype,
    type: FLOAT_TYPES.get(dtype) ?? null,
    offset: dataStart + start,
    endOffset: dataStart + end,
  };
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}

/** The format requires the data of all tensors one after another, from the header to the end of the file. */
function checkCoverage(file: BoundedFile, dataStart: number, tensors: readonly PlacedTensor[]): void {
  const byOffset = [...tensors].sort((a, b) => a.offset - b.offset || a.endOffset - b.endOffset);
  let end = dataStart;
  let before = 'the header';
  for (const { name, offset, endOffset } of byOffset) {
    if (offset !== end) {
      const got =
        offset < end ? `bytes that also belong to ${before}` : `a gap of ${offset - end} bytes after ${before}`;
      throw new CheckpointError(
        'malformed',
        { file: file.path, tensor: name },
        `expected data at byte ${end}, got ${got}`,
      );
    }
    end = endOffset;
    before = name;
  }
  if (end !== file.sizeBytes) {
    throw new CheckpointError(
      'malformed',
      { file: file.path },
      `expected the file to end after ${before} at byte ${end}, got ${file.sizeBytes - end} more bytes`,
    );
  }
}

/** The first key that occurs twice in the outermost object of this valid JSON text. */
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
