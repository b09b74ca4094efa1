import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileKind, foreignFileName, plainTextName } from './foreign-file.ts';

const nameOf = (text: string): string | null => foreignFileName(new TextEncoder().encode(text));

test('a Git LFS pointer and an HTML page are recognised by their first bytes', () => {
  assert.match(nameOf('version https://git-lfs.github.com/spec/v1\noid sha256:0') ?? '', /Git LFS pointer/);
  assert.match(nameOf('<!DOCTYPE html>\n<html>') ?? '', /HTML page/);
  assert.match(nameOf('\n <html lang="en">') ?? '', /HTML page/);
});

test('returns null for a model file', () => {
  for (const text of ['{"a":1}', 'GGUF', 'PK\u0003\u0004', '']) assert.equal(nameOf(text), null);
});

test('plain text in place of weights is named with its beginning, binary files are not', () => {
  const textOf = (text: string): string | null => plainTextName(new TextEncoder().encode(text));
  assert.match(textOf('Entry not found') ?? '', /a text that begins with "Entry not found"/);
  for (const binary of ['', 'GGUF', '\u0010\0\0\0\0\0\0\0{"a":{"dtype":"F32"}}', 'PK\u0003\u0004\0\0\0\0\0\0']) {
    assert.equal(textOf(binary), null);
  }
});

test('names another file by its first bytes', () => {
  const kind = (...bytes: number[]): string => fileKind(Uint8Array.from(bytes));
  assert.match(kind(0x50, 0x4b, 3, 4), /^a ZIP file, as PyTorch saves weights: convert its folder$/);
  assert.match(kind(9, 1, 0, 0, 0, 0, 0, 0, 0x7b, 0x22), /^a safetensors file/);
  assert.equal(fileKind(new TextEncoder().encode('# A title')), 'a text that begins with "# A title"');
  assert.equal(kind(0x35, 0xbb, 0xb1, 0xde, 0), 'another file, which begins with the bytes 35 bb b1 de');
  assert.match(kind(0x6c, 0x6d, 0x67, 0x67), /^a ggml file from before GGUF: convert it$/);
  assert.match(kind(0x74, 0x6a, 0x67, 0x67), /llama\.cpp from 2023/);
  assert.match(kind(0x28, 0xb5, 0x2f, 0xfd), /^a Zstandard archive/);
  assert.equal(kind(), 'an empty file');
});
