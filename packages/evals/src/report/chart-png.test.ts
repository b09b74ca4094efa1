import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32, inflateSync } from 'node:zlib';
import { toPng } from './chart-png.ts';
import type { Drawing } from './chart-shapes.ts';

const DRAWING: Drawing = {
  width: 40,
  height: 20,
  title: 'a chart',
  shapes: [
    { kind: 'dot', x: 10, y: 10, radius: 4, colour: '#ff0000' },
    { kind: 'line', x1: 20, y1: 5, x2: 30, y2: 5, colour: '#0000ff', isDashed: false },
    { kind: 'text', x: 20, y: 18, size: 11, weight: 400, colour: '#000000', anchor: 'start', content: 'l→' },
  ],
};

/** Chunks by name, their checksums compared. */
function chunksOf(png: Buffer): ReadonlyMap<string, Buffer> {
  assert.equal(png.toString('latin1', 1, 4), 'PNG');
  const chunks = new Map<string, Buffer>();
  for (let at = 8; at < png.length; ) {
    const length = png.readUInt32BE(at);
    const body = png.subarray(at + 4, at + 8 + length);
    assert.equal(png.readUInt32BE(at + 8 + length), crc32(body));
    chunks.set(body.toString('latin1', 0, 4), body.subarray(4));
    at += 12 + length;
  }
  return chunks;
}

test('an image has twice the pixels of the drawing, and its shapes', () => {
  const chunks = chunksOf(Buffer.from(toPng(DRAWING)));
  assert.deepEqual([...chunks.keys()], ['IHDR', 'IDAT', 'IEND']);
  const header = chunks.get('IHDR')!;
  assert.deepEqual([header.readUInt32BE(0), header.readUInt32BE(4)], [80, 40]);
  const raw = inflateSync(chunks.get('IDAT')!);
  assert.equal(raw.length, (80 * 3 + 1) * 40);
  const pixel = (x: number, y: number): readonly number[] => [
    ...raw.subarray(y * 241 + 1 + x * 3, y * 241 + 4 + x * 3),
  ];
  assert.deepEqual(pixel(0, 0), [255, 255, 255]);
  assert.deepEqual(pixel(20, 20), [255, 0, 0]);
  assert.deepEqual(pixel(50, 9), [0, 0, 255]);
  const dark = Array.from({ length: 8 * 20 }, (_, at) => pixel(40 + (at % 8), 16 + Math.floor(at / 8))).some(
    ([red = 255]) => red < 80,
  );
  assert.ok(dark, 'the letter is drawn');
});
