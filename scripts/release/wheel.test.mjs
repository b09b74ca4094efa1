import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { crc32, inflateRawSync } from 'node:zlib';
import { root } from '../prepare.mjs';
import { writeWheel } from './wheel.mjs';

test('the wheel has the client and records the hash of each of its files', (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'gptj-wheel-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  const path = writeWheel({ root, folder });
  assert.match(basename(path), /^gptj_cloud_pipeline-\d+\.\d+\.\d+-py3-none-any\.whl$/);
  const files = unzip(readFileSync(path));
  const names = [...files.keys()];
  const record = names.at(-1);
  assert.ok(names.includes('pipeline/__init__.py') && names.includes('pipeline/py.typed'));
  assert.ok(names.every((name) => /\.py$|py\.typed$|\.dist-info\//.test(name)));
  assert.deepEqual(files.get('pipeline/__init__.py'), readFileSync(join(root, 'clients/python/pipeline/__init__.py')));
  const recorded = files.get(record).toString().trim().split('\n');
  assert.equal(recorded.length, names.length);
  for (const line of recorded.slice(0, -1)) {
    const [name, hash, size] = line.split(',');
    const bytes = files.get(name);
    assert.equal(hash, `sha256=${createHash('sha256').update(bytes).digest('base64url')}`);
    assert.equal(Number(size), bytes.length);
  }
});

/** Files by name, found through the directory at the end as readers of zip files do. */
function unzip(bytes) {
  const end = bytes.lastIndexOf('PK\x05\x06', undefined, 'latin1');
  const files = new Map();
  let at = bytes.readUInt32LE(end + 16);
  for (let left = bytes.readUInt16LE(end + 10); left > 0; left--) {
    assert.equal(bytes.toString('latin1', at, at + 4), 'PK\x01\x02');
    const [size, nameLength] = [bytes.readUInt32LE(at + 20), bytes.readUInt16LE(at + 28)];
    const local = bytes.readUInt32LE(at + 42);
    const name = bytes.toString('utf8', at + 46, at + 46 + nameLength);
    const start = local + 30 + bytes.readUInt16LE(local + 26) + bytes.readUInt16LE(local + 28);
    const contents = inflateRawSync(bytes.subarray(start, start + size));
    assert.equal(crc32(contents), bytes.readUInt32LE(at + 16));
    files.set(name, contents);
    at += 46 + nameLength;
  }
  return files;
}
