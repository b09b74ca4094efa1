/**
 * PyTorch's zip format (torch.save since 1.6): `<root>/data.pkl` describes the tensors, `<root>/data/<key>` are their
 * storages, `<root>/byteorder` is `little` or `big` (since 2.1; little before).
 */
import { runPickle } from '@gptj-cloud/pickle';
import { type BoundedFile, type ByteSource, checkIsBinary, readStart, sliceOf } from '../bounded-file.ts';
import { CheckpointError } from '../checkpoint-error.ts';
import { FOREIGN_FILE_BYTES } from '../foreign-file.ts';
import { MAX_TENSORS, type StoredFloatType, type StoredTensor } from '../stored-tensor.ts';
import { isLegacyFile, readLegacyHeader } from './legacy-header.ts';
import { type PickledTensor, parseStateDict, STORAGE_ITEM_BYTES, type StateDict } from './state-dict.ts';
import { entryDataOffset, readZipDirectory, type ZipDirectory, type ZipEntry } from './zip-directory.ts';

const MAX_PICKLE_BYTES = 16 * 1024 * 1024;

const FLOAT_TYPES: ReadonlyMap<string, StoredFloatType> = new Map([
  ['DoubleStorage', 'f64'],
  ['FloatStorage', 'f32'],
  ['HalfStorage', 'f16'],
  ['BFloat16Storage', 'bf16'],
]);

/** Throws `unsupported`, `malformed`, `too_large`, `truncated`, `wrong_shape`. */
export async function readPytorchHeader(file: BoundedFile): Promise<readonly StoredTensor[]> {
  const start = await readStart(file, FOREIGN_FILE_BYTES);
  checkIsBinary(file.path, start);
  if (isLegacyFile(start)) {
    const { stateDict, storageOffsets } = await readLegacyHeader(file);
    return toStored(file, stateDict, async ({ storageKey }) => {
      const offset = storageOffsets.get(storageKey);
      return offset === undefined ? undefined : { offset };
    });
  }
  if (start[0] !== 0x50 || start[1] !== 0x4b) {
    throw new CheckpointError(
      'unsupported',
      { file: file.path },
      'expected a zip archive made by torch.save; is it an interrupted download?',
    );
  }
  return readZipHeader(file);
}

async function readZipHeader(file: BoundedFile): Promise<readonly StoredTensor[]> {
  const place = { file: file.path };
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
  const bytes = await readEntry(file, directory, pickle);
  const stateDict = parseStateDict(file.path, (policy) => runPickle(bytes, policy));
  return toStored(file, stateDict, (tensor) => locate(file, directory, root, tensor));
}

/** Where a storage starts; see `StoredTensor`. */
type StoragePlace = Pick<StoredTensor, 'offset' | 'source' | 'position'>;

/** Tensors with their offsets; other entries get the type null, which no weight can have. */
async function toStored(
  file: BoundedFile,
  { tensors, others }: StateDict,
  findStorage: (tensor: PickledTensor) => Promise<StoragePlace | undefined>,
): Promise<readonly StoredTensor[]> {
  if (tensors.length > MAX_TENSORS) {
    throw new CheckpointError(
      'too_large',
      { file: file.path },
      `expected at most ${MAX_TENSORS} tensors, got ${tensors.length}`,
    );
  }
  const places = new Map<string, StoragePlace>();
  const stored: StoredTensor[] = [];
  for (const tensor of tensors) {
    const { name, shape, strides, storageKey, storageType, firstElement, dtype } = tensor;
    const place = places.get(storageKey) ?? (await findStorage(tensor));
    if (place === undefined) {
      throw new CheckpointError(
        'malformed',
        { file: file.path, tensor: name },
        `expected the storage ${storageKey.slice(0, 40)}, found none`,
      );
    }
    places.set(storageKey, place);
    stored.push({
      name,
      shape,
      strides,
      storedType: dtype ?? storageType,
      type: dtype === null ? (FLOAT_TYPES.get(storageType) ?? null) : null,
      ...place,
      offset: place.offset + firstElement * STORAGE_ITEM_BYTES.get(storageType)!,
    });
  }
  const placeless = { shape: [], strides: [], type: null, offset: 0 };
  return [...stored, ...others.map(({ name, type }) => ({ ...placeless, name, storedType: type }))];
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

/** Where the tensor's storage starts; undefined where the archive has no such entry. */
async function locate(
  file: BoundedFile,
  directory: ZipDirectory,
  root: string,
  { name, storageKey, storageType, storageLength }: PickledTensor,
): Promise<StoragePlace | undefined> {
  const entry = directory.entries.get(`${root}data/${storageKey}`);
  if (entry === undefined) return undefined;
  const sizeBytes = storageLength * STORAGE_ITEM_BYTES.get(storageType)!;
  if (entry.sizeBytes !== sizeBytes) {
    throw new CheckpointError(
      'wrong_shape',
      { file: file.path, tensor: name },
      `expected ${sizeBytes} bytes for ${storageLength} elements of ${storageType}, got ${entry.sizeBytes}`,
    );
  }
  const findStart = (): Promise<number> => entryDataOffset(file, directory, entry);
  if (!file.isGrowing) return { offset: await findStart() };
  // The header of the entry says where its bytes start, and is just before them.
  return { offset: 0, position: entry.headerOffset, source: lateSlice(file, entry.sizeBytes, findStart) };
}

/** A part of a file whose start is found when it is first read. */
function lateSlice(file: BoundedFile, sizeBytes: number, findStart: () => Promise<number>): ByteSource {
  let slice: Promise<ByteSource> | null = null;
  return {
    path: file.path,
    sizeBytes,
    async read(offset, target) {
      slice ??= findStart().then((start) => sliceOf(file, file.path, start, sizeBytes));
      await (await slice).read(offset, target);
    },
  };
}
