/** The pickle inside a PyTorch checkpoint, read as data: the storage, offset, shape and strides of each tensor. */
import {
  PickleError,
  PickleObject,
  type PicklePolicy,
  PickleTuple,
  type PickleValue,
  pythonTypeName,
} from '@gptj-cloud/pickle';
import { CheckpointError } from '../checkpoint-error.ts';
import { MAX_DIMENSIONS } from '../stored-tensor.ts';
import { checkWithinStorage } from '../strided-rows.ts';

/** A tensor as the pickle describes it. */
export interface PickledTensor {
  readonly name: string;
  /** Entry `data/<key>` of the archive. */
  readonly storageKey: string;
  /** `FloatStorage`, `HalfStorage`, … */
  readonly storageType: string;
  /** Number of elements in the storage. */
  readonly storageLength: number;
  /** First element of the tensor in its storage. */
  readonly firstElement: number;
  readonly shape: readonly number[];
  /** In elements of the storage. */
  readonly strides: readonly number[];
  /** Element type where the storage is untyped, as for float8. */
  readonly dtype: string | null;
}

/** The contents of a state dict. */
export interface StateDict {
  readonly tensors: readonly PickledTensor[];
  /** Entries that are no tensors, such as a number under the name of a mask: name and Python type. */
  readonly others: readonly { readonly name: string; readonly type: string }[];
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
  ['ComplexDoubleStorage', 16],
  ['ComplexFloatStorage', 8],
  // Counts bytes; its elements have the type that the tensor states.
  ['UntypedStorage', 1],
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
  readonly dtype: string | null;
}

/** Functions that the policy knows; `opaque` ones create values that occur only in attributes of tensors. */
type Callable =
  | 'ordered_dict'
  | 'rebuild_tensor_v2'
  | 'rebuild_tensor_v3'
  | 'rebuild_parameter'
  | 'rebuild_parameter_with_state'
  | 'rebuild_from_type'
  | 'opaque';

type Token =
  | { readonly kind: 'callable'; readonly callable: Callable }
  | { readonly kind: 'storage_type'; readonly type: string }
  | { readonly kind: 'dtype'; readonly name: string }
  | { readonly kind: 'value' }
  | Storage
  | Tensor;

/**
 * Parse the state dict of `file`. Only tensors, ordered dicts and plain data are accepted, as with
 * `torch.load(weights_only=True)`: any other call in the pickle is refused, with its name, and never executed. Throws `unsupported`,
 * `malformed`, `wrong_shape`.
 *
 * @param run executes the pickle under a policy
 */
export function parseStateDict(file: string, run: (policy: PicklePolicy<Token>) => PickleValue<Token>): StateDict {
  let root: PickleValue<Token>;
  try {
    root = run(POLICY);
  } catch (error) {
    if (!(error instanceof PickleError)) throw error;
    const code = error.code === 'forbidden_global' || error.code === 'forbidden_call' ? 'unsupported' : 'malformed';
    throw new CheckpointError(code, { file }, `expected a state dict of tensors: ${error.message}`, { cause: error });
  }
  const tensors: PickledTensor[] = [];
  const others: { name: string; type: string }[] = [];
  for (const [key, value] of root instanceof Map ? root : []) {
    const name = String(key);
    if (!isTensor(value)) {
      others.push({ name, type: pythonTypeName(value) });
      continue;
    }
    const { storage, firstElement, shape, strides, dtype } = value.value;
    if (storage.type !== 'UntypedStorage') {
      checkWithinStorage(file, { name, shape, strides }, firstElement, storage.length);
    }
    tensors.push({
      name,
      storageKey: storage.key,
      storageType: storage.type,
      storageLength: storage.length,
      firstElement,
      shape,
      strides,
      dtype,
    });
  }
  if (tensors.length === 0) {
    throw new CheckpointError(
      'unsupported',
      { file },
      'expected a state dict (tensor by name), got no tensor under any name; save model.state_dict() alone',
    );
  }
  return { tensors, others };
}

/** Functions and classes by their full name. */
const CALLABLES: ReadonlyMap<string, Callable> = new Map([
  ['collections.OrderedDict', 'ordered_dict'],
  ['torch._utils._rebuild_tensor_v2', 'rebuild_tensor_v2'],
  ['torch._utils._rebuild_tensor_v3', 'rebuild_tensor_v3'],
  ['torch._utils._rebuild_parameter', 'rebuild_parameter'],
  ['torch._utils._rebuild_parameter_with_state', 'rebuild_parameter_with_state'],
  ['torch._tensor._rebuild_from_type_v2', 'rebuild_from_type'],
  ['torch.Tensor', 'opaque'],
  ['torch.nn.parameter.Parameter', 'opaque'],
  ['torch.nn.parameter.Buffer', 'opaque'],
  ['torch.Size', 'opaque'],
  ['torch.device', 'opaque'],
  ['_codecs.encode', 'opaque'],
]);

const POLICY: PicklePolicy<Token> = {
  keys: 'primitive',
  global(module, name) {
    const callable = CALLABLES.get(`${module}.${name}`);
    if (callable !== undefined) return new PickleObject({ kind: 'callable', callable });
    const isStorage = module === 'torch' || (module === 'torch.storage' && name === 'UntypedStorage');
    if (isStorage && STORAGE_ITEM_BYTES.has(name)) return new PickleObject({ kind: 'storage_type', type: name });
    if (module === 'torch' && DTYPE.test(name)) return new PickleObject({ kind: 'dtype', name });
    return undefined;
  },
  // ('storage', <class>, key, device, elements), and before PyTorch 1.6 a sixth item, None unless it is a view.
  persistentLoad(id) {
    if (!(id instanceof PickleTuple)) return undefined;
    const [tag, type, key, , length, view] = id.items;
    if (tag !== 'storage' || !(type instanceof PickleObject) || type.value.kind !== 'storage_type') return undefined;
    const elements = toSize(length);
    if (typeof key !== 'string' || elements === null || (view ?? null) !== null) return undefined;
    return new PickleObject({ kind: 'storage', key, type: type.value.type, length: elements });
  },
  reduce: (callable, args) => (callable.value.kind === 'callable' ? call(callable.value.callable, args) : undefined),
  // A state dict carries `_metadata`, its modules' versions, and a tensor its attributes. Neither is needed.
  build: (target) => (target instanceof Map || isTensor(target) ? target : undefined),
};

const DTYPE = /^(?:(?:u?int|float|bfloat|complex|quint|qint)\d+(?:_\w+)?|bool|double|half|long|short)$/;

function call(callable: Callable, args: readonly PickleValue<Token>[]): PickleValue<Token> | undefined {
  const [first, , third] = args;
  switch (callable) {
    case 'ordered_dict':
      return args.length === 0 ? new Map() : undefined;
    case 'rebuild_tensor_v2':
    case 'rebuild_tensor_v3':
      return rebuildTensor(args);
    // (tensor, requires_grad, hooks), and for the other one the state
    case 'rebuild_parameter':
    case 'rebuild_parameter_with_state':
      return isTensor(first) ? first : undefined;
    // (function, class, its arguments, state). A nested one is refused, so that the file cannot control the recursion depth.
    case 'rebuild_from_type': {
      const inner = first instanceof PickleObject && first.value.kind === 'callable' ? first.value.callable : null;
      return inner !== null && inner !== 'rebuild_from_type' && third instanceof PickleTuple
        ? call(inner, third.items)
        : undefined;
    }
    case 'opaque':
      return new PickleObject({ kind: 'value' });
    default:
      return callable satisfies never;
  }
}

function isTensor(value: PickleValue<Token> | undefined): value is PickleObject<Tensor> {
  return value instanceof PickleObject && value.value.kind === 'tensor';
}

/**
 * `_rebuild_tensor_v2(storage, storage_offset, size, stride, requires_grad, backward_hooks)`; v3 has the type of the
 * elements in seventh place.
 */
function rebuildTensor(args: readonly PickleValue<Token>[]): PickleObject<Token> | undefined {
  const [storage, offset, size, stride, , , type] = args;
  if (!(storage instanceof PickleObject) || storage.value.kind !== 'storage') return undefined;
  const firstElement = toSize(offset);
  const shape = toSizes(size);
  const strides = toSizes(stride);
  if (firstElement === null || shape === null || strides === null || shape.length !== strides.length) return undefined;
  const dtype = type instanceof PickleObject && type.value.kind === 'dtype' ? type.value.name : null;
  return new PickleObject({ kind: 'tensor', storage: storage.value, firstElement, shape, strides, dtype });
}

function toSizes(value: PickleValue<Token> | undefined): readonly number[] | null {
  if (!(value instanceof PickleTuple) || value.items.length > MAX_DIMENSIONS) return null;
  const sizes = value.items.map(toSize);
  return sizes.every((size) => size !== null) ? sizes : null;
}

function toSize(value: PickleValue<Token> | undefined): number | null {
  return typeof value === 'bigint' && value >= 0n && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : null;
}
