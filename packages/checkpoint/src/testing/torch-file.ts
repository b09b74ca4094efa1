/** What torch.save writes for a state dict: a pickle of protocol 2 and stored entries of a zip archive. Shares no code with the reader. */

export interface TorchTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  /** Float16. */
  readonly bytes: Uint8Array;
}

export function torchFile(tensors: readonly TorchTensor[]): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  const add = (name: string, bytes: Uint8Array): void => {
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    for (const place of [18, 22]) local.writeUInt32LE(bytes.byteLength, place);
    local.writeUInt16LE(name.length, 26);
    // torch pads so that the data begin at a multiple of 64; the directory does not say by how much.
    const padding = Buffer.alloc(4 + ((64 - ((at + 34 + name.length) % 64)) % 64), 'Z');
    padding.writeUInt16LE(padding.length - 4, 2);
    local.writeUInt16LE(padding.length, 28);
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02014b50, 0);
    for (const place of [20, 24]) entry.writeUInt32LE(bytes.byteLength, place);
    entry.writeUInt16LE(name.length, 28);
    entry.writeUInt32LE(at, 42);
    directory.push(Buffer.concat([entry, Buffer.from(name)]));
    const written = Buffer.concat([local, Buffer.from(name), padding, bytes]);
    parts.push(written);
    at += written.byteLength;
  };
  add('archive/data.pkl', stateDictPickle(tensors));
  for (const [key, { bytes }] of tensors.entries()) add(`archive/data/${key}`, bytes);
  const entries = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  for (const place of [8, 10]) end.writeUInt16LE(directory.length, place);
  end.writeUInt32LE(entries.byteLength, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...parts, entries, end]);
}

function stateDictPickle(tensors: readonly TorchTensor[]): Buffer {
  const uint32 = (value: number): string => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value);
    return bytes.toString('latin1');
  };
  const text = (value: string): string => `X${uint32(value.length)}${value}`;
  const sizes = (list: readonly number[]): string => `(${list.map((size) => `J${uint32(size)}`).join('')}t`;
  const dict = 'ccollections\nOrderedDict\n)R';
  const items = tensors.map(({ name, shape, strides, bytes }, key) => {
    const length = `J${uint32(bytes.byteLength / 2)}`;
    const storage = `(${text('storage')}ctorch\nHalfStorage\n${text(String(key))}${text('cpu')}${length}tQ`;
    const first = `J${uint32(0)}`;
    return `${text(name)}ctorch._utils\n_rebuild_tensor_v2\n(${storage}${first}${sizes(shape)}${sizes(strides)}\x89${dict}tR`;
  });
  return Buffer.from(`\x80\x02${dict}(${items.join('')}u.`, 'latin1');
}
