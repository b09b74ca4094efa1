import { basename } from 'node:path';
import type { GptjConfig } from '@gptj-cloud/model';
import { BoundedFile } from '../bounded-file.ts';
import type { Checkpoint, CheckpointTensor, CheckpointTokenizer } from '../checkpoint.ts';
import { CheckpointError } from '../checkpoint-error.ts';
import { rowBytes, rowsOf, type TensorType } from '../tensor-type.ts';
import { type GgufHeader, type GgufTensorInfo, readGgufHeader } from './header.ts';
import { GGUF_ALIGNMENT, metadataNumber, metadataString } from './metadata.ts';
import { phi2Tensors, readGptjConfig } from './phi2-export.ts';
import { gptjRowToPhi2, isReordered, rowRuns } from './row-order.ts';
import { readTokenizerData } from './tokenizer-metadata.ts';

/** A weight and its position in the file. */
interface Phi2Tensor extends CheckpointTensor {
  readonly offset: number;
}

/**
 * Open a phi2 export (GGUF) as the GPT-J it was made from: Hugging Face names, rows of q and k in GPT-J's order.
 *
 * Throws `CheckpointError`: `unsupported` for any other GGUF file, else the code of the fault in this one.
 */
export async function openGgufCheckpoint(path: string): Promise<Checkpoint> {
  const file = await BoundedFile.open(path);
  try {
    const header = await readGgufHeader(file);
    checkAlignment(path, header);
    const config = readGptjConfig(path, header);
    return new GgufCheckpoint(file, header, config, matchPhi2Tensors(path, header, config));
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** A weight as the file has it. */
export interface StoredTensor {
  /** Name in a Hugging Face checkpoint. */
  readonly name: string;
  readonly shape: readonly number[];
  readonly type: TensorType;
  readonly sizeBytes: number;
}

/** The weights of a phi2 export as the file has them, with the rows of q and k in Phi-2's order. */
export interface StoredWeights {
  readonly config: GptjConfig;
  readonly tensors: readonly StoredTensor[];
  /** Rows of a tensor from `firstRow` on, as many as fill `target`. Calls may run at the same time. */
  readRows(name: string, firstRow: number, target: Uint8Array): Promise<void>;
  /** Idempotent. */
  close(): Promise<void>;
}

/** Open a phi2 export (GGUF) for an engine that computes with the stored types. Throws as {@link openGgufCheckpoint}. */
export async function openStoredWeights(path: string): Promise<StoredWeights> {
  const file = await BoundedFile.open(path);
  try {
    const header = await readGgufHeader(file);
    checkAlignment(path, header);
    const config = readGptjConfig(path, header);
    const tensors = matchPhi2Tensors(path, header, config);
    const byName = new Map(tensors.map((tensor) => [tensor.name, tensor]));
    return {
      config,
      tensors: tensors.map(({ name, shape, type, sizeBytes }) => ({ name, shape, type, sizeBytes })),
      async readRows(name, firstRow, target) {
        const tensor = findRows(path, byName, name, firstRow, target.byteLength);
        await file.read(tensor.offset + firstRow * rowBytes(tensor.type, rowsOf(tensor.shape).rowLength), target);
      },
      close: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** The tensor, after a check that it has these rows. Throws `missing_tensor`, `truncated`. */
function findRows(
  file: string,
  tensors: ReadonlyMap<string, Phi2Tensor>,
  name: string,
  firstRow: number,
  wantedBytes: number,
): Phi2Tensor {
  const tensor = tensors.get(name);
  const place = { file, tensor: name };
  if (tensor === undefined) throw new CheckpointError('missing_tensor', place, 'expected the name of a weight');
  const bytes = rowBytes(tensor.type, rowsOf(tensor.shape).rowLength);
  if (firstRow < 0 || firstRow * bytes + wantedBytes > tensor.sizeBytes) {
    throw new CheckpointError(
      'truncated',
      place,
      `expected rows within ${tensor.sizeBytes} bytes, got row ${firstRow} and on`,
    );
  }
  return tensor;
}

/** llama.cpp aborts the process where a tensor does not start at a multiple of 32 bytes. */
function checkAlignment(file: string, { metadata }: GgufHeader): void {
  const alignment = metadataNumber(metadata, 'general.alignment') ?? GGUF_ALIGNMENT;
  if (alignment % GGUF_ALIGNMENT !== 0) {
    throw new CheckpointError(
      'unsupported',
      { file },
      `general.alignment: expected a multiple of ${GGUF_ALIGNMENT}, which llama.cpp requires, got ${alignment}; convert the model again`,
    );
  }
}

function matchPhi2Tensors(file: string, header: GgufHeader, config: GptjConfig): readonly Phi2Tensor[] {
  const infos = new Map(header.tensors.map((info) => [info.name, info]));
  const tensors = phi2Tensors(config).flatMap(({ name, shape, original }) => {
    const info = infos.get(name);
    infos.delete(name);
    const { type, sizeBytes } = checkInfo(file, name, shape, info);
    return original === null || info === undefined
      ? []
      : [{ name: original, shape, type, sizeBytes, offset: info.offset }];
  });
  for (const [name] of infos) {
    throw new CheckpointError('unexpected_tensor', { file, tensor: name }, 'expected only the weights of a GPT-J');
  }
  return tensors;
}

function checkInfo(
  file: string,
  name: string,
  shape: readonly number[],
  info: GgufTensorInfo | undefined,
): { readonly type: TensorType; readonly sizeBytes: number } {
  const place = { file, tensor: name };
  if (info === undefined)
    throw new CheckpointError('missing_tensor', place, `expected shape [${shape}], got no such tensor`);
  if (info.shape.length !== shape.length || info.shape.some((size, i) => size !== shape[i])) {
    throw new CheckpointError('wrong_shape', place, `expected [${shape}], got [${info.shape}]`);
  }
  if (info.type === null || info.sizeBytes === null) {
    throw new CheckpointError('wrong_type', place, `expected a supported type, got ggml type ${info.typeId}`);
  }
  return { type: info.type, sizeBytes: info.sizeBytes };
}

class GgufCheckpoint implements Checkpoint {
  readonly format = 'gguf';
  readonly form = null;
  readonly path: string;
  readonly modelName: string;
  readonly config: GptjConfig;
  readonly tensors: readonly CheckpointTensor[];
  readonly warnings: readonly string[] = [];
  readonly #file: BoundedFile;
  readonly #header: GgufHeader;
  readonly #byName: ReadonlyMap<string, Phi2Tensor>;

  constructor(file: BoundedFile, header: GgufHeader, config: GptjConfig, tensors: readonly Phi2Tensor[]) {
    this.path = file.path;
    this.modelName = metadataString(header.metadata, 'general.name') ?? basename(file.path);
    this.config = config;
    this.tensors = tensors.map(({ name, shape, type, sizeBytes }) => ({ name, shape, type, sizeBytes }));
    this.#file = file;
    this.#header = header;
    this.#byName = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  }

  async readRows(name: string, firstRow: number, target: Uint8Array): Promise<void> {
    const tensor = findRows(this.path, this.#byName, name, firstRow, target.byteLength);
    const bytes = rowBytes(tensor.type, rowsOf(tensor.shape).rowLength);
    if (!isReordered(name)) {
      await this.#file.read(tensor.offset + firstRow * bytes, target);
      return;
    }
    const order = (row: number): number => gptjRowToPhi2(this.config, row);
    for (const run of rowRuns(order, firstRow, target.byteLength / bytes)) {
      const start = (run.row - firstRow) * bytes;
      await this.#file.read(tensor.offset + run.otherRow * bytes, target.subarray(start, start + run.rows * bytes));
    }
  }

  async readTokenizer(): Promise<CheckpointTokenizer> {
    return { data: readTokenizerData(this.path, this.#header), dropped: [] };
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}
