import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BandMemory } from './band-memory.ts';
import { assertRefused, readBytes, temporaryFolder } from './reader.contract.ts';
import type { StoredFloatType } from './stored-tensor.ts';
import { checkWithinStorage, createRowReader } from './strided-rows.ts';

const COUNT = 64;
const STORAGE = Float32Array.from({ length: COUNT }, (_, i) => i);

const LAYOUTS: readonly (readonly [what: string, shape: readonly number[], strides: readonly number[]])[] = [
  ['row-major', [5, 7], [7, 1]],
  ['transposed', [5, 7], [1, 5]],
  ['a slice of columns', [5, 3], [7, 1]],
  ['every other column', [5, 3], [7, 2]],
  ['a transposed slice of columns', [5, 3], [1, 9]],
  ['every other row of a transposed matrix', [3, 4], [2, 9]],
  ['one row for all', [5, 7], [0, 1]],
  ['one column for all', [5, 7], [1, 0]],
  ['one element for all', [5, 7], [0, 0]],
  ['overlapping rows', [5, 7], [1, 1]],
  ['a vector', [9], [1]],
  ['every third element', [9], [3]],
  ['a repeated element', [9], [0]],
  ['one row', [1, 7], [99, 3]],
  ['one column', [7, 1], [3, 99]],
];

for (const [what, shape, strides] of LAYOUTS) {
  test(`reads ${what} as PyTorch does, from every row on`, async (t) => {
    const [rows, rowLength] = shape.length === 1 ? [1, shape[0]!] : [shape[0]!, shape[1]!];
    const [rowStride, columnStride] = shape.length === 1 ? [0, strides[0]!] : [strides[0]!, strides[1]!];
    const first = 2;
    const expected = Array.from({ length: rows }, (_, row) =>
      Array.from({ length: rowLength }, (_, column) => first + row * rowStride + column * columnStride),
    );
    await readBytes(temporaryFolder(t), new Uint8Array(STORAGE.buffer), async (source) => {
      const type: StoredFloatType = 'f32';
      const reader = createRowReader({ name: 'x', shape, strides, storedType: 'F32', type, offset: 4 * first, source });
      for (let row = 0; row < rows; row++) {
        const target = new Float32Array((rows - row) * rowLength);
        await reader.read(row, new Uint8Array(target.buffer));
        assert.deepEqual([...target], expected.slice(row).flat());
        const one = new Float32Array(rowLength);
        await reader.read(row, new Uint8Array(one.buffer));
        assert.deepEqual([...one], expected[row]);
      }
    });
  });
}

/** Bits of 16 and 32 bits, in matrices with even and odd sides, and larger than what is read at once. */
const TRANSPOSED: readonly (readonly [type: StoredFloatType, rows: number, rowLength: number, distance: number])[] = [
  ['f16', 66, 34, 66],
  ['f16', 66, 34, 68],
  ['f16', 66, 34, 200],
  ['f16', 65, 34, 66],
  ['f32', 66, 33, 66],
  ['f16', 1030, 2500, 1030],
  ['f32', 700, 1900, 701],
];

for (const [type, rows, rowLength, distance] of TRANSPOSED) {
  test(`transposes ${rows} × ${rowLength} of ${type}, ${distance} elements from column to column`, async (t) => {
    const count = rowLength * distance;
    const storage = type === 'f16' ? new Uint16Array(count) : new Uint32Array(count);
    for (let i = 0; i < count; i++) storage[i] = Math.imul(i, 0x9e3779b1) >>> 7;
    await readBytes(temporaryFolder(t), new Uint8Array(storage.buffer), async (source) => {
      const shape = [rows, rowLength];
      const reader = createRowReader({
        name: 'x',
        shape,
        strides: [1, distance],
        storedType: type,
        type,
        offset: 0,
        source,
      });
      for (const firstRow of [0, 3]) {
        const bytes = new Uint8Array((rows - firstRow) * rowLength * storage.BYTES_PER_ELEMENT);
        await reader.read(firstRow, bytes);
        const read = type === 'f16' ? new Uint16Array(bytes.buffer) : new Uint32Array(bytes.buffer);
        const wrong = read.findIndex((bits, i) => {
          const row = firstRow + Math.floor(i / rowLength);
          return bits !== storage[(i % rowLength) * distance + row];
        });
        assert.equal(wrong, -1);
      }
    });
  });
}

test('rows that were prepared are those of a read, from every row on, and again after a release', async (t) => {
  await readBytes(temporaryFolder(t), new Uint8Array(STORAGE.buffer), async (source) => {
    const tensor = { name: 'x', shape: [8, 8], strides: [1, 8], storedType: 'F32', type: 'f32', offset: 0 } as const;
    for (const firstRow of [0, 5]) {
      const reader = createRowReader({ ...tensor, source });
      reader.prepare?.();
      const expected = Array.from({ length: 8 }, (_, column) => firstRow + 8 * column);
      for (let times = 0; times < 2; times++) {
        const row = new Float32Array(8);
        await reader.read(firstRow, new Uint8Array(row.buffer));
        assert.deepEqual([...row], expected);
        reader.release();
      }
    }
    const reader = createRowReader({ ...tensor, offset: 128, source });
    reader.prepare?.();
    await assertRefused(reader.read(0, new Uint8Array(256)), 'truncated', /expected/);
  });
});

test('memory that a reader gives up is lent to the next', async (t) => {
  const memory = new BandMemory();
  await readBytes(temporaryFolder(t), new Uint8Array(STORAGE.buffer), async (source) => {
    const tensor = { name: 'x', shape: [8, 8], strides: [1, 8], storedType: 'F32', type: 'f32', offset: 0 } as const;
    const read = async (): Promise<ArrayBufferLike> => {
      const reader = createRowReader({ ...tensor, source }, memory);
      await reader.read(0, new Uint8Array(256));
      reader.release();
      const lent = memory.take(256);
      memory.give(lent);
      return lent.buffer;
    };
    assert.equal(await read(), await read());
  });
});

test('refuses strides that are large in both dimensions', async (t) => {
  await readBytes(temporaryFolder(t), new Uint8Array(STORAGE.buffer), async (source) => {
    const tensor = { name: 'x', shape: [3, 3], strides: [65, 300], storedType: 'F32', type: 'f32', offset: 0 } as const;
    await assertRefused(
      Promise.resolve().then(() => createRowReader({ ...tensor, source })),
      'unsupported',
      /tensor\.contiguous\(\)/,
    );
  });
});

test('refuses a tensor that extends past its storage', async () => {
  const check = (shape: readonly number[], strides: readonly number[], first: number) =>
    Promise.resolve().then(() => checkWithinStorage('f', { name: 'x', shape, strides }, first, COUNT));
  await check([8, 8], [1, 8], 0);
  await check([8, 0], [1000, 1000], 60);
  await assertRefused(check([8, 8], [1, 8], 1), 'wrong_shape', /strides \[1,8\] from element 1 on/);
  await assertRefused(check([2], [2 ** 52], 2 ** 52), 'wrong_shape', /storage of 64/);
});
