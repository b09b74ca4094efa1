/**
 * PyTorch's format before 1.6 (`_legacy_save` in torch/serialization.py): five pickles one after another (magic number,
 * protocol version, system info, the state dict, the keys of its storages), then for each key the number of
 * elements as a 64-bit integer and the elements.
 */
import { PickleError, type PicklePolicy, type PickleValue, runPickleAt } from '@gptj-cloud/pickle';
import { type BoundedFile, readStart } from '../bounded-file.ts';
import { CheckpointError } from '../checkpoint-error.ts';
import { parseStateDict, STORAGE_ITEM_BYTES, type StateDict } from './state-dict.ts';

export interface LegacyHeader {
  readonly stateDict: StateDict;
  /** Byte offset of the elements of each storage. */
  readonly storageOffsets: ReadonlyMap<string, number>;
}

const MAX_PICKLE_BYTES = 16 * 1024 * 1024;
const MAGIC_NUMBER = 0x1950a86a20f9469cfc6cn;
const PROTOCOL_VERSION = 1001n;
const COUNT_BYTES = 8;

/** Whether a file starts as a pickle of protocol 2. */
export function isLegacyFile(start: Uint8Array): boolean {
  return start[0] === 0x80 && start[1] === 0x02;
}

/** Throws `malformed`, `unsupported`, `truncated`, `wrong_shape`. */
export async function readLegacyHeader(file: BoundedFile): Promise<LegacyHeader> {
  const place = { file: file.path };
  const bytes = await readStart(file, MAX_PICKLE_BYTES);
  let at = 0;
  const next = <T>(policy: PicklePolicy<T>): PickleValue<T> => {
    const { value, endOffset } = runPickleAt(bytes, at, policy);
    at = endOffset;
    return value;
  };
  const plain = (): PickleValue => {
    try {
      return next<never>({ keys: 'primitive' });
    } catch (error) {
      if (!(error instanceof PickleError)) throw error;
      const message = `expected a file of torch.save: ${error.message}`;
      throw new CheckpointError('malformed', place, message, { cause: error });
    }
  };
  if (plain() !== MAGIC_NUMBER) {
    throw new CheckpointError('unsupported', place, "expected PyTorch's magic number, got another pickle");
  }
  const version = plain();
  if (version !== PROTOCOL_VERSION) {
    throw new CheckpointError('unsupported', place, `expected protocol version ${PROTOCOL_VERSION}, got ${version}`);
  }
  const machine = plain();
  if (machine instanceof Map && machine.get('little_endian') === false) {
    throw new CheckpointError('unsupported', place, 'expected a little-endian file, got a big-endian one');
  }
  const stateDict = parseStateDict(file.path, next);
  const keys = plain();
  return { stateDict, storageOffsets: await findStorages(file, at, keys, stateDict) };
}

async function findStorages(
  file: BoundedFile,
  start: number,
  keys: PickleValue,
  { tensors }: StateDict,
): Promise<ReadonlyMap<string, number>> {
  const place = { file: file.path };
  const byKey = new Map(tensors.map((tensor) => [tensor.storageKey, tensor]));
  if (!Array.isArray(keys)) throw new CheckpointError('malformed', place, 'expected an array of storage keys');
  const offsets = new Map<string, number>();
  const count = new Uint8Array(COUNT_BYTES);
  let at = start;
  for (const key of keys) {
    const tensor = typeof key === 'string' ? byKey.get(key) : undefined;
    if (typeof key !== 'string' || tensor === undefined) {
      throw new CheckpointError(
        'malformed',
        place,
        `expected storages of tensors alone, got key ${String(key).slice(0, 40)}`,
      );
    }
    await file.read(at, count);
    const elements = new DataView(count.buffer).getBigInt64(0, true);
    if (elements !== BigInt(tensor.storageLength)) {
      throw new CheckpointError(
        'wrong_shape',
        { ...place, tensor: tensor.name },
        `expected a storage of ${tensor.storageLength} elements, got ${elements}`,
      );
    }
    offsets.set(key, at + COUNT_BYTES);
    at += COUNT_BYTES + tensor.storageLength * STORAGE_ITEM_BYTES.get(tensor.storageType)!;
    if (at > file.sizeBytes) {
      throw new CheckpointError(
        'truncated',
        { ...place, tensor: tensor.name },
        `expected data up to byte ${at}, got a file of ${file.sizeBytes} bytes`,
      );
    }
  }
  return offsets;
}
