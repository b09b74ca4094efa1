/**
 * The weights of a GGUF file in memory, packed for the kernels. Pieces of the file are read and packed by several
 * threads at once, so loading takes about the time of reading, and the memory is the packed size and a few pieces.
 */
import { openStoredWeights, type StoredTensor, type StoredWeights } from '@gptj-cloud/checkpoint';
import { type GptjConfig, ModelError } from '@gptj-cloud/model';
import {
  COLUMNS_OF_UNIT,
  GROUPS_OF_UNIT,
  type Layer,
  type Matrix,
  ROWS_OF_GROUP,
  STRUCT_WORDS,
  WEIGHT_TYPES,
  type WeightType,
  Words,
} from './layout.ts';
import type { KernelLibrary } from './library.ts';
import { type Address, addressOf, bytesAt, loadSystem, type Memory } from './system.ts';

export interface PackedWeights {
  readonly config: GptjConfig;
  /** Type of the large matrices. */
  readonly type: WeightType;
  /** Address of the struct `model` of `abi.h`. */
  readonly model: Address;
  /** Bytes of memory that the weights take. */
  readonly bytes: number;
  /** Room that a row of a step has for adapters: see `loweredOf`. */
  readonly lowered: number;
  /** Make more room. Call it when no step runs; contexts follow with their next step. */
  allowLowered(lowered: number): void;
  /** Call it when no step runs. Idempotent. */
  free(): void;
}

export interface PackOptions {
  /** Called with the share of the bytes that is packed, 0 to 1. */
  readonly onProgress?: (share: number) => void;
  /** See `loweredOf`. Default 0: no step has adapters. */
  readonly lowered?: number;
}

/** Bytes of a file that are read and packed as one piece. */
const PIECE_BYTES = 8 * 1024 * 1024;
/** Pieces in work at a time: one is read while another is packed, on each core. */
const PIECES_AT_ONCE = 4;
/** Kernels fetch weights ahead, past the end of a matrix. Fetching never faults, but the last bytes share a page. */
const TAIL_BYTES = 64 * 1024;

const ceil = (value: number, step: number): number => Math.ceil(value / step) * step;

/** A type of the weights in a file that no kernel computes with, or null. Throws `CheckpointError`s of the file. */
export async function unsupportedType(path: string): Promise<string | null> {
  const stored = await openStoredWeights(path);
  try {
    return stored.tensors.find(({ type }) => !(type in WEIGHT_TYPES))?.type ?? null;
  } finally {
    await stored.close();
  }
}

/**
 * Load a phi2 export (GGUF). Throws `CheckpointError`s of the file, `unsupported` for a type of weights that the kernels
 * do not have, `out_of_memory`.
 */
export async function packWeights(
  library: KernelLibrary,
  path: string,
  contextLength: number,
  options: PackOptions = {},
): Promise<PackedWeights> {
  const stored = await openStoredWeights(path);
  try {
    return await packStoredWeights(library, stored, contextLength, options);
  } finally {
    await stored.close();
  }
}

/** As {@link packWeights}, of weights that are open already and stay so. */
export async function packStoredWeights(
  library: KernelLibrary,
  stored: StoredWeights,
  contextLength: number,
  options: PackOptions = {},
): Promise<PackedWeights> {
  for (const { name, type } of stored.tensors) {
    if (!(type in WEIGHT_TYPES)) throw new ModelError('unsupported', `${name}: the kernels have no ${type} weights`);
  }
  return await new Packing(library, stored, contextLength, options).run();
}

/** Where a tensor's bytes go. */
interface Placed {
  readonly tensor: StoredTensor;
  readonly at: number;
  /** Null for vectors and for the embedding, whose rows stay as they are. */
  readonly matrix: { readonly groups: number; readonly units: number } | null;
}

class Packing {
  readonly #library: KernelLibrary;
  readonly #stored: StoredWeights;
  readonly #config: GptjConfig;
  readonly #onProgress: (share: number) => void;
  readonly #lowered: number;
  readonly #placed = new Map<string, Placed>();
  #memory: Memory | null = null;
  #bytes = 0;
  #done = 0;

  constructor(
    library: KernelLibrary,
    stored: StoredWeights,
    contextLength: number,
    { onProgress = () => {}, lowered = 0 }: PackOptions,
  ) {
    this.#library = library;
    this.#stored = stored;
    this.#config = { ...stored.config, contextLength };
    this.#onProgress = onProgress;
    this.#lowered = lowered;
  }

  async run(): Promise<PackedWeights> {
    for (const tensor of this.#stored.tensors) this.#place(tensor);
    const { layerCount, contextLength, rotaryDim } = this.#config;
    const rotation = this.#reserve(contextLength * rotaryDim * 4);
    const layers = this.#reserve(layerCount * STRUCT_WORDS.layer * 8);
    const model = this.#reserve(STRUCT_WORDS.model * 8);
    const memory = loadSystem().allocate(this.#bytes + TAIL_BYTES);
    this.#memory = memory;
    try {
      await this.#packAll();
      this.#writeRotation(rotation);
      this.#writeModel(model, layers, rotation);
    } catch (error) {
      memory.free();
      throw error;
    }
    const address = memory.address + BigInt(model);
    let lowered = this.#lowered;
    return {
      config: this.#config,
      type: this.#matrix('transformer.h.0.mlp.fc_in.weight').type,
      model: address,
      bytes: this.#bytes,
      get lowered() {
        return lowered;
      },
      allowLowered(value) {
        lowered = Math.max(lowered, value);
        // The last field of the struct.
        new Words(bytesAt(address, 8 * STRUCT_WORDS.model)).seek(STRUCT_WORDS.model - 1).put(lowered);
      },
      free: () => memory.free(),
    };
  }

  #reserve(bytes: number): number {
    const at = this.#bytes;
    this.#bytes += ceil(bytes, 64);
    return at;
  }

  #place(tensor: StoredTensor): void {
    const { name, shape, type, sizeBytes } = tensor;
    const isMatrix = shape.length === 2 && name !== EMBEDDING;
    if (!isMatrix) {
      // A vector is padded to the rows of its matrix. The head's is the longest.
      const padded = shape.length === 1 ? ceil(shape[0]!, COLUMNS_OF_UNIT) * 4 : sizeBytes;
      this.#placed.set(name, { tensor, at: this.#reserve(padded), matrix: null });
      return;
    }
    const groups = ceil(Math.ceil(shape[0]! / ROWS_OF_GROUP), GROUPS_OF_UNIT);
    const units = Math.ceil(shape[1]! / COLUMNS_OF_UNIT);
    const bytes = groups * units * this.#library.unitBytes(WEIGHT_TYPES[type as WeightType]);
    this.#placed.set(name, { tensor, at: this.#reserve(bytes), matrix: { groups, units } });
  }

  async #packAll(): Promise<void> {
    const total = this.#stored.tensors.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    const pieces = this.#pieces();
    const work = async (): Promise<void> => {
      let buffer = new Uint8Array(PIECE_BYTES);
      for (const { placed, firstRow, rows, bytes } of pieces) {
        if (buffer.byteLength < bytes) buffer = new Uint8Array(bytes);
        const target = buffer.subarray(0, bytes);
        await this.#stored.readRows(placed.tensor.name, firstRow, target);
        await this.#pack(placed, firstRow, rows, target);
        this.#done += bytes;
        this.#onProgress(this.#done / total);
      }
    };
    await Promise.all(Array.from({ length: PIECES_AT_ONCE }, work));
  }

  /** Whole groups of rows, each of about `PIECE_BYTES`. All workers take from the same generator. */
  *#pieces(): Generator<{ placed: Placed; firstRow: number; rows: number; bytes: number }> {
    for (const placed of this.#placed.values()) {
      const { shape, sizeBytes } = placed.tensor;
      const allRows = shape.length === 1 ? 1 : shape[0]!;
      const rowBytes = sizeBytes / allRows;
      const step = Math.max(ROWS_OF_GROUP, Math.floor(PIECE_BYTES / rowBytes / ROWS_OF_GROUP) * ROWS_OF_GROUP);
      for (let firstRow = 0; firstRow < allRows; firstRow += step) {
        const rows = Math.min(step, allRows - firstRow);
        yield { placed, firstRow, rows, bytes: rows * rowBytes };
      }
    }
  }

  async #pack({ tensor, at, matrix }: Placed, firstRow: number, rows: number, bytes: Uint8Array): Promise<void> {
    const base = this.#memory!.address + BigInt(at);
    if (matrix === null) {
      const offset = (tensor.sizeBytes / (tensor.shape.length === 1 ? 1 : tensor.shape[0]!)) * firstRow;
      new Uint8Array(bytesAt(base + BigInt(offset), bytes.byteLength)).set(bytes);
      return;
    }
    const job = new Words(new ArrayBuffer(8 * STRUCT_WORDS.pack));
    // The last piece of a matrix also covers the groups that have no rows; their memory is zero already.
    job.put(addressOf(bytes), rows, tensor.shape[1]!, firstRow / ROWS_OF_GROUP, Math.ceil(rows / ROWS_OF_GROUP));
    job.putMatrix({ ...matrix, weights: base, type: tensor.type as WeightType });
    await this.#library.pack(job.integers);
  }

  /** cos and sin of position · 10000^(−2i/r), with the angles rounded to float32 where transformers rounds them. */
  #writeRotation(at: number): void {
    const { contextLength, rotaryDim } = this.#config;
    const table = new Float32Array(bytesAt(this.#memory!.address + BigInt(at), contextLength * rotaryDim * 4));
    const half = rotaryDim / 2;
    for (let i = 0; i < half; i++) {
      const frequency = Math.fround(1 / Math.fround(10000 ** Math.fround((2 * i) / rotaryDim)));
      for (let position = 0; position < contextLength; position++) {
        const angle = Math.fround(position * frequency);
        table[position * rotaryDim + i] = Math.cos(angle);
        table[position * rotaryDim + half + i] = Math.sin(angle);
      }
    }
  }

  #writeModel(at: number, layersAt: number, rotationAt: number): void {
    const config = this.#config;
    const base = this.#memory!.address;
    const words = (offset: number, count: number): Words => new Words(bytesAt(base + BigInt(offset), 8 * count));
    const layers = words(layersAt, config.layerCount * STRUCT_WORDS.layer);
    for (let i = 0; i < config.layerCount; i++) layers.putLayer(this.#layer(`transformer.h.${i}`));
    const embedding = this.#placed.get(EMBEDDING)!.tensor;
    words(at, STRUCT_WORDS.model)
      .put(config.layerCount, config.embeddingSize, config.headCount, config.rotaryDim)
      .put(config.feedForwardSize, config.vocabSize, config.contextLength)
      .putFloat(config.layerNormEpsilon)
      .put(base + BigInt(layersAt), this.#vector('transformer.ln_f.weight'), this.#vector('transformer.ln_f.bias'))
      .putMatrix(this.#matrix('lm_head.weight'))
      .put(this.#vector('lm_head.bias'), this.#vector(EMBEDDING))
      .put(WEIGHT_TYPES[embedding.type as WeightType], embedding.sizeBytes / embedding.shape[0]!)
      .put(base + BigInt(rotationAt), this.#lowered);
  }

  #layer(prefix: string): Layer {
    return {
      normWeight: this.#vector(`${prefix}.ln_1.weight`),
      normBias: this.#vector(`${prefix}.ln_1.bias`),
      query: this.#matrix(`${prefix}.attn.q_proj.weight`),
      key: this.#matrix(`${prefix}.attn.k_proj.weight`),
      value: this.#matrix(`${prefix}.attn.v_proj.weight`),
      attentionOut: this.#matrix(`${prefix}.attn.out_proj.weight`),
      mlpIn: this.#matrix(`${prefix}.mlp.fc_in.weight`),
      mlpOut: this.#matrix(`${prefix}.mlp.fc_out.weight`),
      mlpInBias: this.#vector(`${prefix}.mlp.fc_in.bias`),
      mlpOutBias: this.#vector(`${prefix}.mlp.fc_out.bias`),
    };
  }

  #vector(name: string): Address {
    return this.#memory!.address + BigInt(this.#placed.get(name)!.at);
  }

  #matrix(name: string): Matrix {
    const { tensor, matrix } = this.#placed.get(name)!;
    return { weights: this.#vector(name), type: tensor.type as WeightType, ...matrix! };
  }
}

const EMBEDDING = 'transformer.wte.weight';
