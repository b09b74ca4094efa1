import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CacheCells } from './cache-cells.ts';

test('opens sequences under the lowest unused id, up to the maximum', () => {
  const cells = new CacheCells({ cells: 4, maxSequences: 3 });
  assert.deepEqual([cells.open(), cells.open(), cells.open()], [0, 1, 2]);
  assert.throws(() => cells.open(), { code: 'too_many_sequences' });
  cells.release(1);
  assert.equal(cells.fork(0, 0), 1);
});

test('allocates the cells of all growths or of none', () => {
  const cells = new CacheCells({ cells: 4, maxSequences: 3 });
  const [a, b] = [cells.open(), cells.open()];
  assert.throws(
    () =>
      cells.append([
        { sequence: a, count: 3 },
        { sequence: b, count: 2 },
      ]),
    { code: 'cache_full' },
  );
  assert.throws(
    () =>
      cells.append([
        { sequence: a, count: 3 },
        { sequence: 2, count: 1 },
      ]),
    { code: 'unknown_sequence' },
  );
  assert.throws(
    () =>
      cells.append([
        { sequence: a, count: 3 },
        { sequence: b, count: -1 },
      ]),
    RangeError,
  );
  assert.deepEqual([cells.free, cells.length(a), cells.length(b)], [4, 0, 0]);
  cells.append([
    { sequence: a, count: 3 },
    { sequence: b, count: 1 },
  ]);
  assert.deepEqual([cells.free, cells.length(a), cells.length(b)], [0, 3, 1]);
});

test('refuses a fork longer than its source and opens no sequence', () => {
  const cells = new CacheCells({ cells: 4, maxSequences: 2 });
  const source = cells.open();
  cells.append([{ sequence: source, count: 2 }]);
  for (const length of [3, -1, 0.5, Number.NaN]) assert.throws(() => cells.fork(source, length), RangeError);
  assert.throws(() => cells.truncate(source, -1), RangeError);
  assert.equal(cells.fork(source, 2), 1);
});

test('refuses a closed sequence with unknown_sequence', () => {
  const cells = new CacheCells({ cells: 4, maxSequences: 2 });
  const sequence = cells.open();
  cells.release(sequence);
  const unknown = { code: 'unknown_sequence' };
  for (const id of [sequence, 1, -1, 0.5]) {
    assert.throws(() => cells.length(id), unknown);
    assert.throws(() => cells.cells(id), unknown);
    assert.throws(() => cells.fork(id, 0), unknown);
    assert.throws(() => cells.truncate(id, 0), unknown);
    assert.throws(() => cells.release(id), unknown);
  }
});

test('keeps the contents of all sequences over random calls, and loses no cell', () => {
  let state = 12345;
  const below = (n: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
  const total = 40;
  const cells = new CacheCells({ cells: total, maxSequences: 8 });
  // The reference copies contents instead of sharing cells. `memory` holds what an engine would have written.
  const contents = new Map<number, number[]>();
  const memory = new Array<number>(total).fill(-1);
  let written = 0;

  for (let round = 0; round < 20_000; round++) {
    const ids = [...contents.keys()];
    const id = ids[below(ids.length)];
    const kind = below(6);
    if (kind === 0 && contents.size < 8) contents.set(cells.open(), []);
    if (id === undefined) continue;
    const content = contents.get(id)!;
    if (kind === 1 && contents.size < 8) {
      const length = below(content.length + 1);
      contents.set(cells.fork(id, length), content.slice(0, length));
    }
    if (kind === 2 || kind === 3) {
      const count = below(9);
      if (count > cells.free) {
        assert.throws(() => cells.append([{ sequence: id, count }]), { code: 'cache_full' });
      } else {
        cells.append([{ sequence: id, count }]);
        for (const cell of cells.cells(id).slice(content.length)) {
          memory[cell] = written;
          content.push(written++);
        }
      }
    }
    if (kind === 4) {
      const length = below(12);
      cells.truncate(id, length);
      content.length = Math.min(content.length, length);
    }
    if (kind === 5 && below(3) === 0) {
      cells.release(id);
      contents.delete(id);
    }
    const used = new Set<number>();
    for (const [sequence, expected] of contents) {
      assert.deepEqual(
        [...cells.cells(sequence)].map((cell) => memory[cell]!),
        expected,
      );
      for (const cell of cells.cells(sequence)) used.add(cell);
    }
    assert.equal(cells.free, total - used.size);
  }
  for (const id of contents.keys()) cells.release(id);
  assert.equal(cells.free, total);
});
