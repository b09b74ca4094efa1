import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError } from '@gptj-cloud/protocol';
import { collected } from '../testing/collected.ts';
import { openPart } from './multipart.ts';

const TYPE = 'multipart/form-data; boundary=b0';
/** Lengths of the chunks in which each body is sent: whole, and cut at every place. */
const CHUNK_BYTES = [Infinity, 1, 2, 3, 7];

/** The part with that name, of a body in latin1 that comes in chunks. */
async function read(body: string, name: string, { contentType = TYPE, chunkBytes = Infinity } = {}) {
  const bytes = Buffer.from(body, 'latin1');
  let at = 0;
  const next = async (): Promise<Uint8Array | null> => {
    if (at >= bytes.length) return null;
    const chunk = bytes.subarray(at, at + Math.min(chunkBytes, bytes.length));
    at += chunk.length;
    return chunk;
  };
  const { bytes: stream, otherBytes, ...head } = await openPart(next, contentType, name);
  const text = Buffer.from(await collected(stream)).toString('latin1');
  assert.equal(at, bytes.length, 'the body is read to its end');
  assert.ok(otherBytes + text.length <= bytes.length + 2, 'the line end of an empty part is counted twice');
  return { ...head, text };
}

const part = (headers: string, text: string): string => `--b0\r\n${headers}\r\n\r\n${text}\r\n`;
const field = (name: string, text: string): string => part(`Content-Disposition: form-data; name="${name}"`, text);

async function refuses(body: string, contentType: string = TYPE, reason = /./): Promise<void> {
  for (const chunkBytes of CHUNK_BYTES) {
    const refused = (error: unknown): boolean =>
      error instanceof ApiError && error.code === 'invalid_multipart' && reason.test(error.message);
    await assert.rejects(read(body, 'a', { contentType, chunkBytes }), refused, JSON.stringify(body).slice(0, 80));
  }
}

test('reads fields and files without changing their bytes, wherever the chunks end', async () => {
  const text = '\r\n--b\0\xff\r\n\r\n--b';
  const file = part(
    'Content-Disposition: form-data; name="file"; filename="a \\"b\\".bin"\r\nContent-Type: application/octet-stream',
    text,
  );
  const body = `${field('file_path', '/')}${file}${field('after', 'x')}--b0--\r\n`;
  for (const chunkBytes of CHUNK_BYTES) {
    assert.deepEqual(await read(body, 'file', { chunkBytes }), { name: 'file', filename: 'a "b".bin', text });
    assert.deepEqual(await read(body, 'file_path', { chunkBytes }), { name: 'file_path', filename: null, text: '/' });
  }
});

test('reads empty parts, quoted boundaries, padding after a boundary and encoded names', async () => {
  const empty = `${part("content-disposition: FORM-DATA; NAME=file; filename*=utf-8''%C3%A9", '')}--b0--`;
  const contentType = 'multipart/form-data; charset=x; boundary="b0"';
  const padded = '--b0 \t\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n--b0--';
  const joined = '--b0\r\nContent-Disposition: form-data; name="a"\r\n\r\n--b0--';
  for (const chunkBytes of CHUNK_BYTES) {
    const found = await read(empty, 'file', { contentType, chunkBytes });
    assert.deepEqual(found, { name: 'file', filename: 'é', text: '' });
    assert.equal((await read(padded, 'a', { chunkBytes })).text, 'x');
    assert.equal((await read(joined, 'a', { chunkBytes })).text, '');
  }
});

test('announces what of a body is not of the part', async () => {
  const body = Buffer.from(`${field('b', '12')}${field('a', '345')}--b0--\r\n`);
  const chunks = [body];
  const { otherBytes } = await openPart(async () => chunks.pop() ?? null, TYPE, 'a');
  assert.equal(body.length - otherBytes, '345'.length + '\r\n'.length);
});

test('refuses a body that is not multipart/form-data with invalid_multipart', async () => {
  const whole = field('a', 'x');
  for (const body of [
    '',
    '--b0',
    'preamble\r\n--b0--',
    whole,
    `${whole}--b0`,
    `--b0\r\n\r\nx\r\n--b0--`,
    `--b0${' '.repeat(9000)}\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n--b0--`,
    `${part('Content-Disposition: attachment; name="a"', 'x')}--b0--`,
    `${part('Content-Disposition: form-data', 'x')}--b0--`,
    `--b0\r\nContent-Disposition: form-data; name="a"\r\nX: ${'x'.repeat(9000)}\r\n\r\nx\r\n--b0--`,
    `${whole}${field('b', '').repeat(64)}--b0--`,
  ]) {
    await refuses(body);
  }
  for (const type of [
    'multipart/form-data',
    'multipart/form-data; boundary=',
    `multipart/form-data; boundary=${'b'.repeat(71)}`,
  ]) {
    await refuses('--b0--', type);
  }
});

test('refuses none and two of the name', async () => {
  await refuses(`${field('b', 'x')}${field('c', '')}--b0--`, TYPE, /expected a part named "a", got "b", "c"/);
  await refuses('--b0--', TYPE, /expected a part named "a", got none/);
  await refuses(`${field('a', 'x')}${field('a', '')}--b0--`, TYPE, /got 2/);
});
