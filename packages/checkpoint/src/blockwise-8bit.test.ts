import assert from 'node:assert/strict';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { convertCheckpoint } from './convert.ts';
import { openHuggingFaceCheckpoint } from './hugging-face.ts';
import { inspectModel } from './inspect.ts';
import { assertRefused, temporaryFolder } from './reader.contract.ts';
import { assertNumbers, published } from './testing/published-forms.ts';

const FOLDER = published('hivemind-8bit');
const HASHES: Record<string, string> = JSON.parse(readFileSync(join(FOLDER, 'weights.json'), 'utf8'));

test('8-bit codes give the numbers of their tables', async () => {
  await assertNumbers(await openHuggingFaceCheckpoint(FOLDER), HASHES);
});

test('the form is named, with the size of its codes', async () => {
  const { form, tensors, warnings } = await inspectModel(FOLDER);
  assert.match(form ?? '', /^8-bit codes/);
  assert.deepEqual(warnings, []);
  const { type, sizeBytes } = tensors.find(({ name }) => name === 'lm_head.weight') ?? {};
  assert.deepEqual([type, sizeBytes], ['u8', 300 * 16]);
});

test('a conversion warns that the source is quantised', async (t) => {
  const target = join(temporaryFolder(t), 'out.gguf');
  const { warnings, isHalfExact } = await convertCheckpoint({ source: FOLDER, target, type: 'f16' });
  assert.match(warnings.join(), /quantised already \(u8\)/);
  assert.equal(isHalfExact, null);
});

test('tables that do not fit their matrix are refused', async (t) => {
  const folder = join(temporaryFolder(t), 'model');
  cpSync(FOLDER, folder, { recursive: true });
  const path = join(folder, 'pytorch_model.bin');
  const original = readFileSync(path);
  const swapped = (from: string, to: string): void => {
    const bytes = Buffer.from(original);
    const at = bytes.indexOf(from);
    assert.ok(at > 0);
    bytes.write(to, at);
    writeFileSync(path, bytes);
  };
  swapped('transformer.wte.absmax', 'transformer.wte.absmix');
  await assertRefused(openHuggingFaceCheckpoint(folder), 'wrong_type', /wte\.weight.*ByteStorage/);
  swapped('transformer.wte.code', 'transformer.wte.cide');
  await assertRefused(openHuggingFaceCheckpoint(folder), 'wrong_type', /wte\.weight.*ByteStorage/);
});
