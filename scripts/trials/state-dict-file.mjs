// Writes what torch.save writes for a state dict of float16 or float32 tensors: a pickle of protocol 2 and a zip archive of
// stored entries (zip64, as the archive is larger than 4 GiB). Shares no code with the readers that the trial measures.

/** A pickle whose tensor number i has the storage `data/i`. */
export function stateDictPickle(tensors, storageType = 'HalfStorage') {
  const parts = ['\x80\x02ccollections\nOrderedDict\n)R('];
  const text = (value) => `X${uint32(value.length)}${value}`;
  const whole = (value) => `J${uint32(value)}`;
  for (const [key, { name, shape, strides }] of tensors.entries()) {
    const length = shape.reduce((product, size) => product * size, 1);
    const storage = `(${text('storage')}ctorch\n${storageType}\n${text(String(key))}${text('cpu')}${whole(length)}tQ`;
    const sizes = (list) => `(${list.map(whole).join('')}t`;
    const hooks = 'ccollections\nOrderedDict\n)R';
    parts.push(
      `${text(name)}ctorch._utils\n_rebuild_tensor_v2\n(${storage}${whole(0)}${sizes(shape)}${sizes(strides)}\x89${hooks}tR`,
    );
  }
  parts.push('u.');
  return Buffer.from(parts.join(''), 'latin1');
}

function uint32(value) {
  return String.fromCharCode(value & 255, (value >>> 8) & 255, (value >>> 16) & 255, value >>> 24);
}

/** A zip archive of stored entries. Checksums are zero, as no reader of weights computes them. */
export class ZipWriter {
  #file;
  #offset = 0;
  #directory = [];

  constructor(file) {
    this.#file = file;
  }

  /** `parts`: bytes, or an iterable of them. */
  async add(name, parts) {
    const headerOffset = this.#offset;
    const pieces = parts instanceof Uint8Array ? [parts] : [...parts];
    const sizeBytes = pieces.reduce((sum, piece) => sum + piece.byteLength, 0);
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(45, 4);
    local.writeUInt32LE(sizeBytes, 18);
    local.writeUInt32LE(sizeBytes, 22);
    local.writeUInt16LE(name.length, 26);
    // torch pads so that the data begin at a multiple of 64.
    const padding = (64 - ((this.#offset + 30 + name.length + 4) % 64)) % 64;
    local.writeUInt16LE(padding + 4, 28);
    const extra = Buffer.alloc(padding + 4, 'Z');
    extra.write('FB');
    extra.writeUInt16LE(padding, 2);
    for (const piece of [local, Buffer.from(name), extra, ...pieces]) await this.#write(piece);
    const entry = Buffer.alloc(46 + name.length + 28);
    entry.writeUInt32LE(0x02014b50, 0);
    entry.writeUInt16LE(45, 4);
    entry.writeUInt16LE(45, 6);
    entry.fill(0xff, 20, 28);
    entry.writeUInt16LE(name.length, 28);
    entry.writeUInt16LE(28, 30);
    entry.fill(0xff, 42, 46);
    entry.write(name, 46);
    entry.writeUInt16LE(1, 46 + name.length);
    entry.writeUInt16LE(24, 48 + name.length);
    for (const [i, value] of [sizeBytes, sizeBytes, headerOffset].entries()) {
      entry.writeBigUInt64LE(BigInt(value), 50 + name.length + 8 * i);
    }
    this.#directory.push(entry);
  }

  async finish() {
    const start = this.#offset;
    for (const entry of this.#directory) await this.#write(entry);
    const size = this.#offset - start;
    const end64 = Buffer.alloc(56);
    const end64Offset = this.#offset;
    end64.writeUInt32LE(0x06064b50, 0);
    end64.writeBigUInt64LE(44n, 4);
    end64.writeUInt16LE(45, 12);
    end64.writeUInt16LE(45, 14);
    const count = BigInt(this.#directory.length);
    for (const [i, value] of [count, count, BigInt(size), BigInt(start)].entries())
      end64.writeBigUInt64LE(value, 24 + 8 * i);
    const locator = Buffer.alloc(20);
    locator.writeUInt32LE(0x07064b50, 0);
    locator.writeBigUInt64LE(BigInt(end64Offset), 8);
    locator.writeUInt32LE(1, 16);
    const end = Buffer.alloc(22, 0xff);
    end.writeUInt32LE(0x06054b50, 0);
    end.writeUInt32LE(0, 4);
    end.writeUInt16LE(0, 20);
    for (const record of [end64, locator, end]) await this.#write(record);
  }

  async #write(bytes) {
    await this.#file.writeFile(bytes);
    this.#offset += bytes.byteLength;
  }
}
