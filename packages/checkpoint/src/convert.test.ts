import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { gptjTensors } from '@gptj-cloud/model';
import { BoundedFile } from './bounded-file.ts';
import { CheckpointError } from './checkpoint-error.ts';
import { convertCheckpoint } from './convert.ts';
import { readGgufHeader } from './gguf/header.ts';
import { openGgufCheckpoint } from './gguf/open.ts';
import { phi2RowToGptj } from './gguf/row-order.ts';
import { inspectModel } from './inspect.ts';
import type { Quantiser } from './quantiser.ts';
import { assertRefused, assertSurvivesDamage, readBytes, temporaryFolder } from './reader.contract.ts';
import { encodeWeights } from './tensor-codec.ts';
import { TENSOR_TYPES } from './tensor-type.ts';
import { openHuggingFaceWeights } from './testing/hugging-face-weights.ts';
import { WIDE, wideFolder } from './testing/wide-folder.ts';
import type { ConvertProgress } from './transfer.ts';
import { openGgufWeights, type Weights } from './weights.ts';

/** q8_0 as ggml's reference has it: scale = largest magnitude / 127, kept as a half. */
const Q8: Quantiser = {
  blockSize: (type) => TENSOR_TYPES[type].blockSize,
  typeSize: (type) => TENSOR_TYPES[type].blockBytes,
  async quantise(type, rows) {
    assert.equal(type, 'q8_0');
    const bytes = new Uint8Array((rows.length / 32) * 34);
    const view = new DataView(bytes.buffer);
    for (let block = 0; block < rows.length / 32; block++) {
      const weights = rows.subarray(block * 32, block * 32 + 32);
      const scale = Math.fround(Math.max(...weights.map(Math.abs)) / 127);
      encodeWeights('f16', Float32Array.of(scale), bytes.subarray(block * 34, block * 34 + 2));
      for (const [i, weight] of weights.entries()) view.setInt8(block * 34 + 2 + i, Math.round(weight / scale));
    }
    return bytes;
  },
};

async function both(t: TestContext, source: string, target: string): Promise<readonly [Weights, Weights]> {
  const original = await openHuggingFaceWeights(source);
  t.after(() => original.close());
  const exported = await openGgufWeights(target);
  t.after(() => exported.close());
  return [original, exported];
}

for (const type of ['f32', 'f16', 'bf16'] as const) {
  test(`a ${type} checkpoint converted to ${type} and read back is the same to the bit`, async (t) => {
    const target = join(temporaryFolder(t), 'out.gguf');
    const source = wideFolder(t, type);
    const summary = await convertCheckpoint({ source, target, type });
    assert.equal(summary.writtenBytes, readFileSync(target).length);
    assert.deepEqual([summary.tensors, summary.fallbacks, summary.warnings], [27, [], []]);
    const [original, exported] = await both(t, source, target);
    assert.deepEqual(exported.config, original.config);
    assert.deepEqual(exported.tokenizer, original.tokenizer);
    for (const { name } of gptjTensors(original.config)) {
      assert.deepEqual(await exported.tensor(name), await original.tensor(name), name);
    }
  });
}

test('writes the rows of q and k in the order of phi2, those of v unchanged, and a zero output bias', async (t) => {
  const target = join(temporaryFolder(t), 'out.gguf');
  const source = wideFolder(t);
  await convertCheckpoint({ source, target, type: 'f32' });
  const [original] = await both(t, source, target);
  const bytes = readFileSync(target);
  const { tensors } = await readBytes(temporaryFolder(t), bytes, readGgufHeader);
  const stored = (name: string): Float32Array => {
    const info = tensors.find((tensor) => tensor.name === name);
    const start = info?.offset ?? 0;
    return new Float32Array(Uint8Array.from(bytes.subarray(start, start + (info?.sizeBytes ?? 0))).buffer);
  };
  for (const part of ['q', 'k']) {
    const rows = await original.tensor(`transformer.h.1.attn.${part}_proj.weight`);
    const expected = Array.from({ length: 64 }, (_, row) => {
      const from = phi2RowToGptj(WIDE, row) * 64;
      return [...rows.subarray(from, from + 64)];
    });
    assert.deepEqual([...stored(`blk.1.attn_${part}.weight`)], expected.flat());
    assert.notDeepEqual(stored(`blk.1.attn_${part}.weight`), rows);
  }
  assert.deepEqual(stored('blk.1.attn_v.weight'), await original.tensor('transformer.h.1.attn.v_proj.weight'));
  assert.deepEqual(stored('blk.1.attn_output.bias'), new Float32Array(64));
});

test('matrices become q8_0 through the quantiser, vectors stay f32, and both read back', async (t) => {
  const target = join(temporaryFolder(t), 'out.gguf');
  const source = wideFolder(t);
  const summary = await convertCheckpoint({ source, target, type: 'q8_0', quantiser: Q8 });
  assert.deepEqual(summary.types, { q8_0: 14, f32: 13 });
  const [original, exported] = await both(t, source, target);
  for (const { name, shape } of gptjTensors(WIDE)) {
    const [exact, near] = [await original.tensor(name), await exported.tensor(name)];
    // Half a step of 1/127, and the rounding of the scale to a half.
    const tolerance = shape.length < 2 ? 0 : 0.0046;
    for (const [i, weight] of exact.entries()) assert.ok(Math.abs(weight - near[i]!) <= tolerance, `${name} ${i}`);
  }
});

test('rows that do not divide into blocks get a fallback type, which is reported', async (t) => {
  const target = join(temporaryFolder(t), 'out.gguf');
  const summary = await convertCheckpoint({ source: wideFolder(t), target, type: 'q4_K_M', quantiser: Q8 });
  assert.equal(summary.fallbacks.length, 14);
  assert.deepEqual(summary.fallbacks[0], { tensor: 'token_embd.weight', wanted: 'q4_K', used: 'q8_0', rowLength: 64 });
});

test('an exported file converts again, with a warning when it is quantised already', async (t) => {
  const folder = temporaryFolder(t);
  const source = wideFolder(t);
  const [first, second, third] = ['first', 'second', 'third'].map((name) => join(folder, `${name}.gguf`)) as [
    string,
    string,
    string,
  ];
  await convertCheckpoint({ source, target: first, type: 'f32' });
  await convertCheckpoint({ source: first, target: second, type: 'q8_0', quantiser: Q8 });
  await convertCheckpoint({ source, target: third, type: 'q8_0', quantiser: Q8 });
  const data = (path: string): Buffer => readFileSync(path).subarray(-40000);
  assert.deepEqual(data(second), data(third));
  const { warnings } = await convertCheckpoint({ source: second, target: join(folder, 'fourth.gguf'), type: 'f16' });
  assert.match(warnings.join(), /quantised already \(q8_0\)/);
});

test('reports progress up to the size of the file', async (t) => {
  const seen: ConvertProgress[] = [];
  const target = join(temporaryFolder(t), 'out.gguf');
  const { writtenBytes } = await convertCheckpoint({
    source: wideFolder(t),
    target,
    type: 'f16',
    onProgress: (progress) => seen.push(progress),
  });
  assert.equal(seen.length, 27);
  assert.ok(seen.every(({ doneBytes }, i) => i === 0 || doneBytes > (seen[i - 1]?.doneBytes ?? 0)));
  assert.deepEqual(seen[seen.length - 1], { doneBytes: writtenBytes, totalBytes: writtenBytes, tensor: 'output.bias' });
});

test('leaves no file when the conversion is cancelled', async (t) => {
  const folder = temporaryFolder(t);
  const controller = new AbortController();
  let calls = 0;
  const running = convertCheckpoint({
    source: wideFolder(t),
    target: join(folder, 'out.gguf'),
    type: 'f16',
    signal: controller.signal,
    onProgress: () => {
      if (++calls === 5) controller.abort(new Error('enough'));
    },
  });
  await assert.rejects(running, (error: unknown) => {
    assert.ok(error instanceof CheckpointError && error.code === 'aborted');
    assert.equal((error.cause as Error).message, 'enough');
    return true;
  });
  assert.equal(calls, 5);
  assert.deepEqual(readdirSync(folder), []);
});

test('leaves no file when the quantiser fails, has other block sizes, returns too few bytes or is missing', async (t) => {
  const folder = temporaryFolder(t);
  const source = wideFolder(t);
  const options = { source, target: join(folder, 'out.gguf'), type: 'q8_0' } as const;
  await assertRefused(convertCheckpoint(options), 'unsupported', /expected a quantiser/);
  await assertRefused(
    convertCheckpoint({ ...options, quantiser: { ...Q8, typeSize: () => 36 } }),
    'unsupported',
    /in 36/,
  );
  const short: Quantiser = { ...Q8, quantise: async () => new Uint8Array(34) };
  await assertRefused(convertCheckpoint({ ...options, quantiser: short }), 'malformed', /got 34/);
  const broken: Quantiser = { ...Q8, quantise: () => Promise.reject(new RangeError('no')) };
  await assert.rejects(convertCheckpoint({ ...options, quantiser: broken }), RangeError);
  assert.deepEqual(readdirSync(folder), []);
});

for (const type of ['f32', 'f16', 'bf16'] as const) {
  test(`refuses a weight of ${type} that is not a number, in matrices and vectors`, async (t) => {
    for (const name of ['transformer.h.1.mlp.fc_in.weight', 'lm_head.bias']) {
      const source = wideFolder(t, type);
      const path = join(source, 'model.safetensors');
      const bytes = readFileSync(path);
      const headerBytes = Number(bytes.readBigUInt64LE(0));
      const header = JSON.parse(bytes.toString('utf8', 8, 8 + headerBytes));
      const at = 8 + headerBytes + header[name].data_offsets[0] + (type === 'f32' ? 4 : 2) * 3;
      encodeWeights(type, Float32Array.of(Number.NaN), bytes.subarray(at, at + (type === 'f32' ? 4 : 2)));
      writeFileSync(path, bytes);
      const folder = temporaryFolder(t);
      await assertRefused(
        convertCheckpoint({ source, target: join(folder, 'out.gguf'), type }),
        'out_of_range',
        new RegExp(`${name}: expected finite weights, got NaN at index 3`),
      );
      assert.deepEqual(readdirSync(folder), []);
    }
  });
}

test('reports whether float16 has all numbers of a float32 checkpoint', async (t) => {
  const target = join(temporaryFolder(t), 'out.gguf');
  const exact = async (source: string): Promise<boolean | null> =>
    (await convertCheckpoint({ source, target, type: 'f32', overwrite: true })).isHalfExact;
  const narrow = wideFolder(t, 'f16');
  assert.equal(await exact(narrow), null);
  const wide = wideFolder(t, 'f32');
  assert.equal(await exact(wide), false);
  const path = join(wide, 'model.safetensors');
  const bytes = readFileSync(path);
  const numbers = bytes.subarray(8 + Number(bytes.readBigUInt64LE(0)));
  for (let at = 0; at < numbers.length; at += 4)
    numbers.writeFloatLE(Math.round(numbers.readFloatLE(at) * 512) / 512, at);
  writeFileSync(path, bytes);
  assert.equal(await exact(wide), true);
});

test('refuses a weight beyond the range of f16 and names its tensor', async (t) => {
  const folder = temporaryFolder(t);
  const source = wideFolder(t);
  const path = join(source, 'model.safetensors');
  const bytes = readFileSync(path);
  const dataStart = 8 + Number(bytes.readBigUInt64LE(0));
  bytes.writeFloatLE(70000, dataStart + 4 * 77);
  writeFileSync(path, bytes);
  await assertRefused(
    convertCheckpoint({ source, target: join(folder, 'out.gguf'), type: 'f16' }),
    'out_of_range',
    /transformer\.wte\.weight: .*got 70000 at index 77/,
  );
  assert.deepEqual(readdirSync(folder), []);
});

test('refuses a tokenizer or metadata that the reader would refuse, before writing a file', async (t) => {
  const folder = temporaryFolder(t);
  const source = wideFolder(t);
  const tokenizer = JSON.parse(readFileSync(join(source, 'tokenizer.json'), 'utf8'));
  const { A: id, ...vocab } = tokenizer.model.vocab;
  tokenizer.model.vocab = { ...vocab, AA: id };
  writeFileSync(join(source, 'tokenizer.json'), JSON.stringify(tokenizer));
  const target = join(folder, 'out.gguf');
  await assertRefused(convertCheckpoint({ source, target, type: 'f16' }), 'invalid_tokenizer', /byte 0x41/);
  assert.deepEqual(readdirSync(folder), []);
  assert.match((await inspectModel(source)).warnings.join(), /no usable tokenizer.*0x41/);
});

test('a file whose tensors llama.cpp would not align is refused', async (t) => {
  const target = join(temporaryFolder(t), 'out.gguf');
  await convertCheckpoint({ source: wideFolder(t), target, type: 'f32' });
  const bytes = readFileSync(target);
  // A key of the same length in place of another one that nothing needs.
  const at = bytes.indexOf('general.file_type');
  bytes.write('general.alignment', at);
  bytes.writeUInt32LE(8, at + 'general.alignment'.length + 4);
  writeFileSync(target, bytes);
  await assertRefused(openGgufWeights(target), 'unsupported', /general\.alignment: expected a multiple of 32.*got 8/);
});

test('inspect describes a folder and the file made from it alike', async (t) => {
  const target = join(temporaryFolder(t), 'out.gguf');
  const source = wideFolder(t, 'f16');
  await convertCheckpoint({ source, target, type: 'f16' });
  const [folder, file] = [await inspectModel(source), await inspectModel(target)];
  assert.deepEqual([folder.format, file.format], ['safetensors', 'gguf']);
  assert.deepEqual([folder.recipe, file.recipe], [null, 'f16']);
  for (const field of ['config', 'parameters', 'tokenizer', 'modelName', 'warnings'] as const) {
    assert.deepEqual(file[field], folder[field], field);
  }
  assert.deepEqual(file.tokenizer, {
    tokens: 280,
    merges: 20,
    addedTokens: 2,
    controlTokens: 1,
    unusedTokens: 2,
  });
  assert.equal(folder.tensors.length, 25);
  assert.equal(file.metadata['gptj.source'], 'wide');
});

test('a GGUF file of another model is described, and refused as weights', async (t) => {
  const folder = temporaryFolder(t);
  const target = join(folder, 'out.gguf');
  await convertCheckpoint({ source: wideFolder(t, 'f16'), target, type: 'f16' });
  const bytes = readFileSync(target).toString('latin1');
  writeFileSync(target, Buffer.from(bytes.replace('gptj.lifted', 'gptj.LIFTED'), 'latin1'));
  const report = await inspectModel(target);
  assert.equal(report.config, null);
  assert.match(report.warnings.join(), /architecture phi2/);
  await assertRefused(openGgufWeights(target), 'unsupported', /got a Phi-2 model/);
  writeFileSync(target, Buffer.from(bytes.replace('phi2\x0c', 'phi3\x0c'), 'latin1'));
  await assertRefused(openGgufWeights(target), 'unsupported', /"phi3"/);
});

test('reads a damaged exported file or refuses it with a CheckpointError', async (t) => {
  const folder = temporaryFolder(t);
  const target = join(folder, 'out.gguf');
  await convertCheckpoint({ source: wideFolder(t, 'f16'), target, type: 'f16' });
  const bytes = readFileSync(target);
  const file = await BoundedFile.open(target);
  const { tensors } = await readGgufHeader(file);
  await file.close();
  await assertSurvivesDamage({
    bytes,
    ranges: [
      [0, 1200],
      [1200, tensors[0]?.offset ?? 0],
    ],
    rounds: 1200,
    read: async (damaged) => {
      writeFileSync(target, damaged);
      const checkpoint = await openGgufCheckpoint(target);
      try {
        await checkpoint.readTokenizer();
        for (const { name, sizeBytes } of checkpoint.tensors.slice(0, 4))
          await checkpoint.readRows(name, 0, new Uint8Array(sizeBytes));
      } finally {
        await checkpoint.close();
      }
    },
  });
});
