/** An adapter in memory, packed for the kernels: the structs `adapter_layer` of `abi.h` and the numbers that they name. */
import {
  ADAPTER_TARGETS,
  type AdapterLayer,
  type AdapterTargetSpec,
  adapterTargets,
  type GptjConfig,
  type LowRank,
  MAX_ADAPTERS_PER_SEQUENCE,
} from '@gptj-cloud/model';
import { COLUMNS_OF_UNIT, ROWS_OF_GROUP, STRUCT_WORDS, Words } from './layout.ts';
import { type Address, bytesAt, loadSystem } from './system.ts';

export interface PackedAdapter {
  /** Address of the first layer's struct. */
  readonly layers: Address;
  readonly bytes: number;
  /** Largest rank of a matrix. */
  readonly maxRank: number;
  /** Call it when no step runs. Idempotent. */
  free(): void;
}

const ceil = (value: number, step: number): number => Math.ceil(value / step) * step;

/** Room that a row needs for the adapters of its sequence, of which the largest may come together: `model.lowered`. */
export function loweredOf(adapters: readonly PackedAdapter[]): number {
  return adapters
    .map(({ maxRank }) => ceil(maxRank, ROWS_OF_GROUP))
    .toSorted((a, b) => b - a)
    .slice(0, MAX_ADAPTERS_PER_SEQUENCE)
    .reduce((sum, rank) => sum + rank, 0);
}

/** Bytes of memory of an adapter with this rank in each of its matrices. */
function matrixBytes({ rows, columns }: AdapterTargetSpec, rank: number): number {
  const down = ceil(rank, ROWS_OF_GROUP) * ceil(columns, COLUMNS_OF_UNIT) * 4;
  return down + ceil(rows, COLUMNS_OF_UNIT) * rank * 4;
}

/** Pack an adapter whose rows of q and k are in Phi-2's order. Throws `out_of_memory`. */
export function packAdapter(config: GptjConfig, layers: readonly AdapterLayer[]): PackedAdapter {
  const specs = adapterTargets(config);
  const structBytes = ceil(layers.length * STRUCT_WORDS.adapterLayer * 8, 64);
  const bytes = layers.reduce(
    (sum, layer) =>
      ADAPTER_TARGETS.reduce((part, target) => part + matrixBytes(specs[target], layer[target]?.rank ?? 0), sum),
    structBytes,
  );
  const memory = loadSystem().allocate(bytes);
  const structs = new Words(bytesAt(memory.address, structBytes));
  let at = structBytes;
  const take = (count: number): { readonly address: Address; readonly floats: Float32Array } => {
    const address = memory.address + BigInt(at);
    at += count * 4;
    return { address, floats: new Float32Array(bytesAt(address, count * 4)) };
  };
  for (const layer of layers) {
    for (const target of ADAPTER_TARGETS) {
      const matrix = layer[target];
      if (matrix === undefined) {
        structs.put(0, 0, 0);
        continue;
      }
      const { rows, columns } = specs[target];
      const padded = ceil(columns, COLUMNS_OF_UNIT);
      const down = take(ceil(matrix.rank, ROWS_OF_GROUP) * padded);
      packDown(down.floats, matrix, columns, padded);
      const up = take(ceil(rows, COLUMNS_OF_UNIT) * matrix.rank);
      packUp(up.floats, matrix, rows);
      structs.put(down.address, up.address, matrix.rank);
    }
  }
  const ranks = layers.flatMap((layer) => Object.values(layer).map(({ rank }) => rank));
  return { layers: memory.address, bytes, maxRank: Math.max(0, ...ranks), free: () => memory.free() };
}

/** [rank / 16][columns][16] */
function packDown(to: Float32Array, { rank, down }: LowRank, columns: number, padded: number): void {
  for (let k = 0; k < rank; k++) {
    const first = Math.floor(k / ROWS_OF_GROUP) * padded * ROWS_OF_GROUP + (k % ROWS_OF_GROUP);
    for (let c = 0; c < columns; c++) to[first + c * ROWS_OF_GROUP] = down[k * columns + c]!;
  }
}

/** [rows / 16][rank][16] */
function packUp(to: Float32Array, { rank, up }: LowRank, rows: number): void {
  for (let row = 0; row < rows; row++) {
    const first = Math.floor(row / ROWS_OF_GROUP) * rank * ROWS_OF_GROUP + (row % ROWS_OF_GROUP);
    for (let k = 0; k < rank; k++) to[first + k * ROWS_OF_GROUP] = up[row * rank + k]!;
  }
}
