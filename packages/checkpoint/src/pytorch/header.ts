/**
 * PyTorch's zip format (torch.save since 1.6): `<root>/data.pkl` describes the tensors, `<root>/data/<key>` are their
 * storages, `<root>/byteorder` says `little` or `big` (since 2.1; little before).
 */
import type { BoundedFile } from '../bounded-file.ts';
import { CheckpointError } from '../checkpoint-error.ts';
import { MAX_TENSORS, type StoredTensor } from '../stored-tensor.ts';
import { elementCount, type FloatType } from '../tensor-type.ts';
import { type PickledTensor, parseStateDict, STORAGE_ITEM_BYTES } from './state-dict.ts';
import { entryDataOffset, readZipDirectory, type ZipDirectory, type ZipEntry } from './zip-directory.ts';

const MAX_PICKLE_BYTES = 16 * 1024 * 1024;

const FLOAT_TYPES: ReadonlyMap<string, FloatType> = new Map([
  ['FloatStorage', 'f32'],
  ['HalfStorage', 'f16'],
  ['BFloat16Storage', 'bf16'],
]);

/** Throws `unsupported`, `malformed`, `too_large`, `truncated`, `wrong_shape`. */
export async function readPytorchHeader(file: BoundedFile): Promise<readonly StoredTensor[]> {
  const place = { file: file.path };
  await checkMagic(file);
  const directory = await readZipDirectory(file);
  const pickleName = [...directory.entries.keys()].find((name) => /^[^/]+\/data\.pkl$/.test(name));
  const pickle = pickleName === undefined ? undefined : directory.entries.get(pickleName);
  if (pickleName === undefined || pickle === undefined) {
    throw new CheckpointError(
      'unsupported',
      place,
      'expected <name>/data.pkl in the archive, found none: not made by torch.save',
    );
  }
  const root = pickleName.slice(0, -'data.pkl'.length);
  await checkByteOrder(file, directory, root);
  if (pickle.sizeBytes > MAX_PICKLE_BYTES) {
    throw new CheckpointError(
      'too_large',
      place,
      `expected data.pkl of at most ${MAX_PICKLE_BYTES} bytes, got ${pickle.sizeBytes}`,
    );
  }
  const pickled = parseStateDict(file.path, await readEntry(file, directory, pickle));
  if (pickled.length > MAX_TENSORS) {
    throw new CheckpointError('too_large', place, `expected at most ${MAX_TENSORS} tensors, got ${pickled.length}`);
  }
  const offsets = new Map<string, number>();
  const tensors: StoredTensor[] = [];
  for (const tensor of pickled) tensors.push(await locate(file, directory, root, tensor, offsets));
  return tensors;
}

async function checkMagic(file: BoundedFile): Promise<void> {
  const magic = new Uint8Array(4);
  await file.read(0, magic);
  if (magic[0] === 0x50 && magic[1] === 0x4b) return;
  // Before 1.6: a bare pickle (protocol 2) of PyTorch's magic number.
  const legacy = magic[0] === 0x80 && magic[1] === 0x02;
  throw new CheckpointError(
    'unsupported',
    { file: file.path },
    legacy
      ? 'expected the zip format of PyTorch 1.6 or newer, got the older one; in Python: torch.save(torch.load(path, map_location="cpu"), path)'
      : 'expected a zip archive made by torch.save; is it a Git LFS pointer or an interrupted download?',
  );
}

async function checkByteOrder(file: BoundedFile, directory: ZipDirectory, root: string): Promise<void> {
  const entry = directory.entries.get(`${root}byteorder`);
  if (entry === undefined) return;
  const order = entry.sizeBytes > 16 ? '?' : new TextDecoder().decode(await readEntry(file, directory, entry));
  if (order !== 'little') {
    throw new CheckpointError(
      'unsupported',
      { file: file.path },
      `expected byte order "little", got ${JSON.stringify(order)}; re-save on a little-endian machine`,
    );
  }
}

async function readEntry(file: BoundedFile, directory: ZipDirectory, entry: ZipEntry): Promise<Uint8Array> {
  const bytes = new Uint8Array(entry.sizeBytes);
  await file.read(await entryDataOffset(file, directory, entry), bytes);
  return bytes;
}

async function locate(
  file: BoundedFile,
  directory: ZipDirectory,
  root: string,
  tensor: PickledTensor,
  offsets: Map<string, number>,
): Promise<StoredTensor> {
  const place = { file: file.path, tensor: tensor.name };
  const { storageKey, storageType, storageLength, firstElement, shape } = tensor;
  const itemBytes = STORAGE_ITEM_BYTES.get(storageType);
  const entry = directory.entries.get(`${root}data/${storageKey}`);
  if (itemBytes === undefined || entry === undefined) {
    throw new CheckpointError(
      'malformed',
      place,
      `expected data/${storageKey.slice(0, 40)} in the archive, found none`,
    );
  }
  if (entry.sizeBytes !== storageLength * itemBytes) {
    throw new CheckpointError(
      'wrong_shape',
      place,
      `expected ${storageLength * itemBytes} bytes for ${storageLength} elements of ${storageType}, got ${entry.sizeBytes}`,
    );
  }
  const start = offsets.get(storageKey) ?? (await entryDataOffset(file, directory, entry));
  offsets.set(storageKey, start);
  return {
    name: tensor.name,
    shape,
    storedType: storageType,
    type: FLOAT_TYPES.get(storageType) ?? null,
    offset: start + firstElement * itemBytes,
    sizeBytes: elementCount(shape) * itemBytes,
  };
}
