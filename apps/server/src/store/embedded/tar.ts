/** Parts of a tar in the format `ustar`, which PGlite reads. */

const BLOCK_BYTES = 512;

/** @param name below 100 bytes, as all names in PostgreSQL's folder are */
export function tarHeader(name: string, sizeBytes: number, type: 'file' | 'folder'): Uint8Array {
  const header = Buffer.alloc(BLOCK_BYTES);
  if (Buffer.byteLength(name) > 99) throw new RangeError(`expected a name of at most 99 bytes, got ${name}`);
  header.write(name, 0);
  header.write(type === 'file' ? '0000600\0' : '0000700\0', 100);
  header.write('0000000\0', 108);
  header.write('0000000\0', 116);
  header.write(`${sizeBytes.toString(8).padStart(11, '0')}\0`, 124);
  header.write(
    `${Math.floor(Date.now() / 1000)
      .toString(8)
      .padStart(11, '0')}\0`,
    136,
  );
  header.write(' '.repeat(8), 148);
  header.write(type === 'file' ? '0' : '5', 156);
  header.write('ustar\x0000', 257);
  const sum = header.reduce((all, byte) => all + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return header;
}

/** Fills the last block of a file. */
export function tarPadding(sizeBytes: number): Uint8Array {
  return new Uint8Array((BLOCK_BYTES - (sizeBytes % BLOCK_BYTES)) % BLOCK_BYTES);
}

export function tarEnd(): Uint8Array {
  return new Uint8Array(2 * BLOCK_BYTES);
}
