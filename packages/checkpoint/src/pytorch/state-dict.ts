/** The pickle inside a PyTorch checkpoint, read as data: which tensor is which part of which storage. */
import {
  PickleError,
  PickleObject,
  type PicklePolicy,
  PickleTuple,
  type PickleValue,
  runPickle,
} from '@gptj-cloud/pickle';
import { CheckpointError } from '../checkpoint-error.ts';
import { MAX_DIMENSIONS } from '../stored-tensor.ts';
import { elementCount } from '../tensor-type.ts';

/** A tensor as the pickle describes it. */
export interface PickledTensor {
  readonly name: string;
  /** Entry `data/<key>` of the archive. */
  readonly storageKey: string;
  /** `FloatStorage`, `HalfStorage`, … */
  readonly storageType: string;
  /** Elements the storage has. */
  readonly storageLength: number;
  /** First element of the tensor in its storage. */
  readonly firstElement: number;
  readonly shape: readonly number[];
}

/** Bytes of an element by storage class. Only the float ones may hold weights. */
export const STORAGE_ITEM_BYTES: ReadonlyMap<string, number> = new Map([
  ['DoubleStorage', 8],
  ['LongStorage', 8],
  ['FloatStorage', 4],
  ['IntStorage', 4],
  ['HalfStorage', 2],
  ['BFloat16Storage', 2],
  ['ShortStorage', 2],
  ['CharStorage', 1],
  ['ByteStorage', 1],
  ['BoolStorage', 1],
]);

interface Storage {
  readonly kind: 'storage';
  readonly key: string;
  readonly type: string;
  readonly length: number;
}

interface Tensor {
  readonly kind: 'tensor';
  readonly storage: Storage;
  readonly firstElement: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

type Token =
  | { readonly kind: 'ordered_dict' | 'rebuild_tensor' | 'rebuild_parameter' }
  | { readonly kind: 'storage_type'; readonly type: string }
  | Storage
  | Tensor;

/**
 * Parse `data.pkl` of `file`. Only tensors, ordered dicts and plain data get through: whatever else the pickle would
 * call is refused by name and never run. Throws `unsupported`, `malformed`.
 */
export function parseStateDict(file: string, pickle: Uint8Array): readonly PickledTensor[] {
  let root: PickleValue<Token>;
  try {
    root = runPickle<Token>(pickle, POLICY);
  } catch (error) {
    if (!(error instanceof PickleError)) throw error;
    const code = error.code === 'forbidden_global' || error.code === 'forbidden_call' ? 'unsupported' : 'malformed';
    throw new CheckpointError(code, { file }, `expected a state dict of tensors: ${error.message}`, { cause: error });
  }
  if (!(root instanceof Map)) {
    throw new CheckpointError(
      'unsupported',
      { file },
      'expected a state dict (name to tensor), as model.state_dict() gives it',
    );
  }
  const tensors: PickledTensor[] = [];
  for (const [name, value] of root) {
    if (typeof name !== 'string' || !(value instanceof PickleObject) || value.value.kind !== 'tensor') {
      throw new CheckpointError(
        'unsupported',
        { file, tensor: String(name).slice(0, 100) },
        'expected a tensor under every name of the state dict; save model.state_dict() alone',
      );
    }
    const { storage, firstElement, shape, strides } = value.value;
    checkContiguous(file, name, shape, strides);
    if (firstElement + elementCount(shape) > storage.length) {
      throw new CheckpointError(
        'wrong_shape',
        { file, tensor: name },
        `expected [${shape}] from element ${firstElement} on to fit its storage, got a storage of ${storage.length}`,
      );
    }
    tensors.push({
      name,
      storageKey: storage.key,
      storageType: storage.type,
      storageLength: storage.length,
      firstElement,
      shape,
    });
  }
  return tensors;
}

const POLICY: PicklePolicy<Token> = {
  keys: 'primitive',
  global(module, name) {
    if (module === 'collections' && name === 'OrderedDict') return new PickleObject({ kind: 'ordered_dict' });
    if (module === 'torch._utils' && name === '_rebuild_tensor_v2') return new PickleObject({ kind: 'rebuild_tensor' });
    if (module === 'torch._utils' && name === '_rebuild_parameter')
      return new PickleObject({ kind: 'rebuild_parameter' });
    if (module === 'torch' && STORAGE_ITEM_BYTES.has(name))
      return new PickleObject({ kind: 'storage_type', type: name });
    return undefined;
  },
  // ('storage', <class>, key, device, elements)
  persistentLoad(id) {
    if (!(id instanceof PickleTuple)) return undefined;
    const [tag, type, key, , length] = id.items;
    if (tag !== 'storage' || !(type instanceof PickleObject) || type.value.kind !== 'storage_type') return undefined;
    const elements = toSize(length);
    if (typeof key !== 'string' || elements === null) return undefined;
    return new PickleObject({ kind: 'storage', key, type: type.value.type, length: elements });
  },
  reduce(callable, args) {
    switch (callable.value.kind) {
      case 'ordered_dict':
        return args.length === 0 ? new Map() : undefined;
      case 'rebuild_tensor':
        return rebuildTensor(args);
      // (tensor, requires_grad, hooks)
      case 'rebuild_parameter':
        return args[0] instanceof PickleObject && args[0].value.kind === 'tensor' ? args[0] : undefined;
      default:
        return undefined;
    }
  },
  // A state dict carries `_metadata`, its modules' versions. Nothing here needs it.
  build: (target) => (target instanceof Map ? target : undefined),
};

/** `_rebuild_tensor_v2(storage, storage_offset, size, stride, requires_grad, backward_hooks)`. */
function rebuildTensor(args: readonly PickleValue<Token>[]): PickleObject<Token> | undefined {
  const [storage, offset, size, stride] = args;
  if (!(storage instanceof PickleObject) || storage.value.kind !== 'storage') return undefined;
  const firstElement = toSize(offset);
  const shape = toSizes(size);
  const strides = toSizes(stride);
  if (firstElement === null || shape === null || strides === null || shape.length !== strides.length) return undefined;
  return new PickleObject({ kind: 'tensor', storage: storage.value, firstElement, shape, strides });
}

function toSizes(value: PickleValue<Token> | undefined): readonly number[] | null {
  if (!(value instanceof PickleTuple) || value.items.length > MAX_DIMENSIONS) return null;
  const sizes = value.items.map(toSize);
  return sizes.every((size) => size !== null) ? sizes : null;
}

function toSize(value: PickleValue<Token> | undefined): number | null {
  return typeof value === 'bigint' && value >= 0n && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : null;
}

function checkContiguous(file: string, tensor: string, shape: readonly number[], strides: readonly number[]): void {
  let expected = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    // The stride of a dimension of one step is never taken.
    if (shape[i] !== 1 && strides[i] !== expected) {
      throw new CheckpointError(
        'unsupported',
        { file, tensor },
        `expected rows one after another, got strides [${strides}] for shape [${shape}]; save tensor.contiguous()`,
      );
    }
    expected *= shape[i]!;
  }
}
