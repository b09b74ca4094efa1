/**
 * The file format of ggml's example gpt-j (convert-h5-to-ggml.py, 2022 to 2023), little-endian: magic, seven 32-bit
 * numbers, the vocabulary, then tensors to the end of the file, each with its header before its data.
 */
import type { BoundedFile } from '../bounded-file.ts';
import { CheckpointError } from '../checkpoint-error.ts';
import { FileCursor } from '../file-cursor.ts';
import { MAX_TENSORS } from '../stored-tensor.ts';
import { GGML_DIALECTS, type GgmlDialect, type GgmlEra, type GgmlType } from './era.ts';

/** `ggml` as a number: the bytes on the disk are `lmgg`. */
export const GGML_MAGIC: readonly number[] = [0x6c, 0x6d, 0x67, 0x67];

const MAX_TOKENS = 1 << 20;
const MAX_TOKEN_BYTES = 1 << 16;
const MAX_VOCABULARY_BYTES = 64 * 1024 * 1024;
const MAX_NAME_BYTES = 256;
const MAX_ROWS = 1 << 24;

/** The numbers at the start. */
export interface GgmlShape {
  readonly vocabSize: number;
  readonly contextLength: number;
  readonly embeddingSize: number;
  readonly headCount: number;
  readonly layerCount: number;
  readonly rotaryDim: number;
  readonly fileType: number;
}

export interface GgmlTensor {
  readonly name: string;
  /** Row-major, slowest first: the reverse of the file's order. */
  readonly shape: readonly number[];
  readonly type: GgmlType;
  readonly offset: number;
  readonly sizeBytes: number;
}

export interface GgmlHeader {
  readonly shape: GgmlShape;
  /** Bytes of each token, by id. */
  readonly tokens: readonly Uint8Array[];
  readonly tensors: readonly GgmlTensor[];
  readonly era: GgmlEra;
  /** The era that the file type states. */
  readonly statedEra: GgmlEra;
}

/**
 * The header of a file, with the blocks that its file type states; where the lengths of the tensors do not fit those, with the
 * first that they fit. `era` allows no others.
 *
 * Throws `unsupported`, `malformed`, `too_large`, `truncated`.
 */
export async function readGgmlHeader(file: BoundedFile, era: GgmlEra | null): Promise<GgmlHeader> {
  const cursor = new FileCursor(file, GGML_MAGIC.length);
  const shape = await readShape(cursor);
  const statedEra = eraOf(file, shape.fileType);
  const tokens = await readTokens(file, cursor, shape.vocabSize);
  const isFirst = (dialect: GgmlDialect): boolean => dialect.era === (era ?? statedEra);
  const others = era === null ? GGML_DIALECTS.filter((dialect) => !isFirst(dialect)) : [];
  let failure: unknown = null;
  for (const dialect of [...GGML_DIALECTS.filter(isFirst), ...others]) {
    try {
      const tensors = await readTensors(file, cursor.offset, dialect);
      return { shape, tokens, tensors, era: dialect.era, statedEra };
    } catch (error) {
      if (!(error instanceof CheckpointError) || error.code === 'io' || error.code === 'closed') throw error;
      failure ??= error;
    }
  }
  throw failure;
}

async function readShape(cursor: FileCursor): Promise<GgmlShape> {
  return {
    vocabSize: await cursor.count('n_vocab', 1, MAX_TOKENS),
    contextLength: await cursor.count('n_ctx', 1, 1 << 20),
    embeddingSize: await cursor.count('n_embd', 1, 1 << 20),
    headCount: await cursor.count('n_head', 1, 1 << 16),
    layerCount: await cursor.count('n_layer', 1, 1 << 12),
    rotaryDim: await cursor.count('n_rot', 1, 1 << 20),
    fileType: await cursor.count('ftype', 0, 1 << 20),
  };
}

/** GGML_QNT_VERSION times 1000 was added to the file type on the day of v1. */
function eraOf(file: BoundedFile, fileType: number): GgmlEra {
  const version = Math.floor(fileType / 1000);
  if (version === 0 || version === 1 || version === 2) return version;
  throw new CheckpointError(
    'unsupported',
    { file: file.path },
    `expected a quantisation version of 0 to 2, got ${version} (file type ${fileType})`,
  );
}

async function readTokens(file: BoundedFile, cursor: FileCursor, vocabSize: number): Promise<readonly Uint8Array[]> {
  const count = await cursor.count('number of tokens', 0, vocabSize);
  const tokens: Uint8Array[] = [];
  let bytes = 0;
  for (let id = 0; id < count; id++) {
    const length = await cursor.count(`length of token ${id}`, 0, MAX_TOKEN_BYTES);
    bytes += length;
    if (bytes > MAX_VOCABULARY_BYTES) {
      throw new CheckpointError(
        'too_large',
        { file: file.path },
        `expected a vocabulary of at most ${MAX_VOCABULARY_BYTES} bytes, got more`,
      );
    }
    tokens.push((await cursor.bytes(length)).slice());
  }
  return tokens;
}

async function readTensors(
  file: BoundedFile,
  offset: number,
  { types, era }: GgmlDialect,
): Promise<readonly GgmlTensor[]> {
  const cursor = new FileCursor(file, offset);
  const tensors: GgmlTensor[] = [];
  while (!cursor.isAtEnd) {
    if (tensors.length === MAX_TENSORS) {
      throw new CheckpointError('too_large', { file: file.path }, `expected at most ${MAX_TENSORS} tensors, got more`);
    }
    const after = tensors.length === 0 ? 'the vocabulary' : tensors[tensors.length - 1]!.name;
    try {
      tensors.push(await readTensor(file, cursor, { types, era }));
    } catch (error) {
      if (!(error instanceof CheckpointError) || error.code !== 'malformed') throw error;
      throw new CheckpointError(
        'malformed',
        { file: file.path },
        `expected a tensor of ggml's era ${era} after ${after}, got other bytes (${error.message}); the data before have another length than their type, or the file is of another era: see --ggml-era`,
        { cause: error },
      );
    }
  }
  return tensors;
}

async function readTensor(file: BoundedFile, cursor: FileCursor, { types, era }: GgmlDialect): Promise<GgmlTensor> {
  const dimensions = await cursor.count('n_dims', 1, 2);
  const nameBytes = await cursor.count('length of the name', 1, MAX_NAME_BYTES);
  const typeId = await cursor.int32();
  const sizes: number[] = [];
  for (let i = 0; i < dimensions; i++) sizes.push(await cursor.count(`ne[${i}]`, 1, MAX_ROWS));
  const name = new TextDecoder().decode(await cursor.bytes(nameBytes));
  if (!/^[\w.]+$/.test(name)) {
    throw new CheckpointError('malformed', { file: file.path }, `expected a name, got ${JSON.stringify(name)}`);
  }
  const place = { file: file.path, tensor: name };
  const type = types.get(typeId);
  if (type === undefined) {
    throw new CheckpointError(
      'unsupported',
      place,
      `expected one of ${[...types.values()].map((known) => known.name).join(', ')} in v${era}, got ggml type ${typeId}`,
    );
  }
  const [rowLength = 1, rows = 1] = sizes;
  if (rowLength % type.blockSize !== 0) {
    throw new CheckpointError(
      'malformed',
      place,
      `expected rows of whole blocks of ${type.blockSize}, got ${rowLength} weights of ${type.name}`,
    );
  }
  const sizeBytes = rows * (rowLength / type.blockSize) * type.blockBytes;
  const { offset } = cursor;
  cursor.skip(sizeBytes, name);
  return { name, shape: sizes.reverse(), type, offset, sizeBytes };
}
