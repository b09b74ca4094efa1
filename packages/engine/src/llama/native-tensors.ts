/** Tensors of a graph while llama.cpp computes it: `struct ggml_tensor` of v0.5.0, and the callback that receives them. */
import { ModelError } from '@gptj-cloud/model';
import * as koffi from 'koffi';
import type { Pointer } from './native-structs.ts';

/** Called after a matrix product. `input` has whole rows of `rowLength` numbers and is valid during the call. */
export type ProductListener = (weight: string, input: Float32Array, rowLength: number) => void;

export interface ProductWatch {
  /** `cb_eval` of a context's parameters. */
  readonly callback: Pointer;
  /** Throws what the listener threw, or `engine_failed` for a tensor of an unknown layout. */
  check(): void;
  /** Call it when no context has the callback. */
  free(): void;
}

/** Offsets in bytes, on 64-bit systems. */
const TENSOR = { bytes: 336, type: 0, ne: 16, nb: 48, src: 152, data: 248, name: 256, nameBytes: 64 } as const;
const F32 = 0;

interface Tensor {
  readonly name: string;
  readonly type: number;
  readonly rowLength: number;
  readonly rows: number;
  readonly isContiguous: boolean;
  readonly data: Pointer;
  readonly sources: readonly [Pointer, Pointer];
}

let prototype: koffi.TypeObject | undefined;

/**
 * Receive the input of every product with a matrix that `wants` names. The tensors' memory must be the machine's: not for
 * contexts on a GPU.
 */
export function watchProducts(wants: (weight: string) => boolean, listener: ProductListener): ProductWatch {
  prototype ??= koffi.proto('bool gptj_eval_callback(void *tensor, bool ask, void *user)');
  let failure: unknown = null;
  const receive = (address: Pointer, isQuestion: boolean): boolean => {
    const [weightAddress, inputAddress] = readTensor(address).sources;
    if (weightAddress === 0n || inputAddress === 0n) return false;
    const weight = readTensor(weightAddress);
    if (!wants(weight.name)) return false;
    if (isQuestion) return true;
    const input = readTensor(inputAddress);
    if (input.type !== F32 || input.rowLength !== weight.rowLength || !input.isContiguous) {
      throw new ModelError(
        'engine_failed',
        `${weight.name}: expected float32 rows of ${weight.rowLength} as its input`,
      );
    }
    const count = input.rows * input.rowLength;
    listener(weight.name, new Float32Array(koffi.view(input.data, count * 4)), input.rowLength);
    return true;
  };
  const callback = koffi.register((address: Pointer, isQuestion: boolean): boolean => {
    if (failure !== null) return false;
    try {
      return receive(address, isQuestion);
    } catch (error) {
      // An exception cannot pass through C.
      failure = error;
      return false;
    }
  }, koffi.pointer(prototype));
  return {
    callback: callback as unknown as Pointer,
    check() {
      if (failure !== null) throw failure;
    },
    free: () => koffi.unregister(callback),
  };
}

function readTensor(address: Pointer): Tensor {
  const view = new DataView(koffi.view(address, TENSOR.bytes));
  const size = (dimension: number): number => Number(view.getBigInt64(TENSOR.ne + 8 * dimension, true));
  const rowLength = size(0);
  const name = new Uint8Array(view.buffer, view.byteOffset + TENSOR.name, TENSOR.nameBytes);
  const end = name.indexOf(0);
  return {
    name: new TextDecoder('latin1').decode(name.subarray(0, end < 0 ? name.length : end)),
    type: view.getInt32(TENSOR.type, true),
    rowLength,
    rows: size(1) * size(2) * size(3),
    isContiguous: Number(view.getBigUint64(TENSOR.nb + 8, true)) === 4 * rowLength,
    data: view.getBigUint64(TENSOR.data, true),
    sources: [view.getBigUint64(TENSOR.src, true), view.getBigUint64(TENSOR.src + 8, true)],
  };
}
