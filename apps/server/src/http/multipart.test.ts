import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiError } from '@gptj-cloud/protocol';
import { onePart, parseMultipart } from './multipart.ts';

const TYPE = 'multipart/form-data; boundary=b0';
const parse = (body: string, contentType: string = TYPE) =>
  parseMultipart(Buffer.from(body, 'latin1'), contentType).map(({ bytes, ...part }) => ({
    ...part,
    text: Buffer.from(bytes).toString('latin1'),
  }));
const refuses = (body: string, contentType: string = TYPE): void =>
  assert.throws(
    () => parse(body, contentType),
    (error) => error instanceof ApiError && error.code === 'invalid_multipart',
    JSON.stringify(body).slice(0, 80),
  );
const part = (headers: string, text: string): string => `--b0\r\n${headers}\r\n\r\n${text}\r\n`;

test('reads fields and files without changing their bytes', () => {
  const body = `${part('Content-Disposition: form-data; name="file_path"', '/')}${part(
    'Content-Disposition: form-data; name="file"; filename="a \\"b\\".bin"\r\nContent-Type: application/octet-stream',
    '\r\n--b\0\xff\r\n',
  )}--b0--\r\n`;
  assert.deepEqual(parse(body), [
    { name: 'file_path', filename: null, text: '/' },
    { name: 'file', filename: 'a "b".bin', text: '\r\n--b\0\xff\r\n' },
  ]);
});

test('reads empty parts, quoted boundaries, padding after a boundary and encoded names', () => {
  const empty = `${part("content-disposition: FORM-DATA; NAME=file; filename*=utf-8''%C3%A9", '')}--b0--`;
  assert.deepEqual(parse(empty, 'multipart/form-data; charset=x; boundary="b0"'), [
    { name: 'file', filename: 'é', text: '' },
  ]);
  assert.equal(parse('--b0 \t\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n--b0--').length, 1);
});

test('refuses a body that is not multipart/form-data with invalid_multipart', () => {
  const whole = part('Content-Disposition: form-data; name="a"', 'x');
  for (const body of [
    '',
    '--b0',
    'preamble\r\n--b0--',
    whole,
    `${whole}--b0`,
    `--b0\r\n\r\nx\r\n--b0--`,
    `${part('Content-Disposition: attachment; name="a"', 'x')}--b0--`,
    `${part('Content-Disposition: form-data', 'x')}--b0--`,
    `--b0\r\nContent-Disposition: form-data; name="a"\r\nX: ${'x'.repeat(9000)}\r\n\r\nx\r\n--b0--`,
    `${whole.repeat(65)}--b0--`,
  ]) {
    refuses(body);
  }
  for (const type of [
    'multipart/form-data',
    'multipart/form-data; boundary=',
    `multipart/form-data; boundary=${'b'.repeat(71)}`,
  ]) {
    refuses('--b0--', type);
  }
});

test('finds a part by name, and refuses none and two of that name', () => {
  const parts = (names: readonly string[]) =>
    parseMultipart(
      Buffer.from(`${names.map((name) => part(`Content-Disposition: form-data; name="${name}"`, '')).join('')}--b0--`),
      TYPE,
    );
  assert.equal(onePart(parts(['a', 'b']), 'b').name, 'b');
  assert.throws(() => onePart(parts(['a']), 'b'), /expected a part named "b", got "a"/);
  assert.throws(() => onePart(parts(['b', 'b']), 'b'), /got 2/);
});
