import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { GPTJ_6B, type GptjConfig } from '@gptj-cloud/model';
import { checkAdapter, convertAdapter, readAdapter } from './adapter-file.ts';

const CONFIG: GptjConfig = {
  ...GPTJ_6B,
  embeddingSize: 16,
  layerCount: 2,
  headCount: 2,
  rotaryDim: 4,
  feedForwardSize: 24,
};

type Floats = Readonly<Record<string, { readonly shape: readonly number[]; readonly values: readonly number[] }>>;

const q = (side: 'A' | 'B', layer = 0, module = 'attn.q_proj'): string =>
  `base_model.model.transformer.h.${layer}.${module}.lora_${side}.weight`;
const counted = (...shape: number[]): Floats[string] => {
  const count = shape.reduce((a, b) => a * b);
  return { shape, values: Array.from({ length: count }, (_, i) => i) };
};
const PLAIN: Floats = { [q('A')]: counted(2, 16), [q('B')]: counted(16, 2) };

/** A safetensors file of float32, written without the reader's code. */
function safetensors(tensors: Floats): Buffer {
  let end = 0;
  const header: Record<string, unknown> = {};
  for (const [name, { shape, values }] of Object.entries(tensors)) {
    header[name] = { dtype: 'F32', shape, data_offsets: [end, end + 4 * values.length] };
    end += 4 * values.length;
  }
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  const data = Float32Array.from(Object.values(tensors).flatMap(({ values }) => values));
  return Buffer.concat([length, text, new Uint8Array(data.buffer)]);
}

interface Written {
  readonly source: string;
  readonly target: string;
  convert(): Promise<unknown>;
}

async function adapter(
  t: TestContext,
  settings: object = {},
  weights: Uint8Array | string = safetensors(PLAIN),
  file = 'adapter_model.safetensors',
): Promise<Written> {
  const folder = await mkdtemp(join(tmpdir(), 'gptj-adapter-'));
  t.after(() => rm(folder, { recursive: true }));
  const source = join(folder, 'peft');
  const target = join(folder, 'stored', 'a.gguf');
  await mkdir(source);
  await mkdir(join(folder, 'stored'));
  const config = { peft_type: 'LORA', r: 2, lora_alpha: 8, ...settings };
  await writeFile(join(source, 'adapter_config.json'), JSON.stringify(config));
  await writeFile(join(source, file), weights);
  return {
    source,
    target,
    async convert() {
      await checkAdapter(source, CONFIG);
      return await convertAdapter({ source, target, name: 'a', config: CONFIG });
    },
  };
}

test('stores A as it is, and B scaled and in the order of the export', async (t) => {
  const { convert, target } = await adapter(t);
  assert.deepEqual(await convert(), {
    baseModel: null,
    rank: 2,
    targets: ['q_proj'],
    sizeBytes: (await readFile(target)).byteLength,
  });
  const original = (await readAdapter(target, CONFIG, 'original')).layers;
  assert.deepEqual(original[1], {});
  const { down, up } = original[0]!.q_proj!;
  assert.deepEqual([...down], PLAIN[q('A')]!.values);
  assert.deepEqual(
    [...up],
    PLAIN[q('B')]!.values.map((value) => 4 * value),
  );
  const exported = (await readAdapter(target, CONFIG, 'exported')).layers[0]!.q_proj!.up;
  // Of each head of 8 rows the first 4 are rotated: even rows first.
  assert.deepEqual(
    Array.from({ length: 16 }, (_, row) => exported[2 * row]! / 8),
    [0, 2, 1, 3, 4, 5, 6, 7, 8, 10, 9, 11, 12, 13, 14, 15],
  );
});

test('scales by alpha and rank, with patterns and rslora', async (t) => {
  const both = { ...PLAIN, [q('A', 1)]: counted(1, 16), [q('B', 1)]: counted(16, 1) };
  const cases = [
    [{ lora_alpha: 3 }, [1.5, 3]],
    [{ use_rslora: true, lora_alpha: 3 }, [3 / Math.SQRT2, 3]],
    [{ alpha_pattern: { q_proj: 5 } }, [2.5, 5]],
    [{ alpha_pattern: { 'h.1.attn.q_proj': 7, q_proj: 5 } }, [2.5, 7]],
    [{ alpha_pattern: { '^h.1.attn.q_proj': 7, '^transformer.h.0.attn.q_proj': 9 } }, [4.5, 8]],
  ] as const;
  for (const [settings, scalings] of cases) {
    const { convert, target } = await adapter(
      t,
      { rank_pattern: { 'h.1.attn.q_proj': 1 }, ...settings },
      safetensors(both),
    );
    await convert();
    const { layers } = await readAdapter(target, CONFIG, 'original');
    assert.deepEqual(
      [layers[0]!.q_proj!.up[1], layers[1]!.q_proj!.up[1]],
      scalings.map(Math.fround),
      JSON.stringify(settings),
    );
  }
});

test('refuses settings that no low-rank addition expresses, by name, and writes nothing', async (t) => {
  const refused: readonly (readonly [object, RegExp])[] = [
    [{ peft_type: 'IA3' }, /peft_type: expected "LORA", got "IA3"/],
    [{ use_dora: true }, /use_dora true: DoRA/],
    [{ bias: 'lora_only' }, /bias "lora_only"/],
    [{ lora_bias: true }, /lora_bias true/],
    [{ modules_to_save: ['lm_head'] }, /modules_to_save \["lm_head"\]/],
    [{ init_lora_weights: 'pissa_niter_4' }, /init_lora_weights "pissa_niter_4"/],
    [{ init_lora_weights: 'lora_ga' }, /init_lora_weights "lora_ga"/],
    // PEFT compares this one without case.
    [{ init_lora_weights: 'OLoRA' }, /init_lora_weights "OLoRA"/],
    [{ kasa_config: { beta: 1 } }, /kasa_config .*: KaSA/],
    [{ monteclora_config: {} }, /monteclora_config/],
    [{ arrow_config: { top_k: 3 } }, /arrow_config/],
    [{ layer_replication: [[0, 1]] }, /layer_replication/],
    [{ r: 257 }, /r: expected an integer from 1 to 256, got 257/],
    [{ r: '2' }, /r: expected an integer/],
    [{ lora_alpha: 1e300 }, /lora_alpha: expected a number/],
    [{ rank_pattern: { '(a+)+': 2 } }, /expected names of modules, got "\(a\+\)\+", a regular expression/],
    [{ alpha_pattern: [2] }, /alpha_pattern: expected an object/],
  ];
  for (const [settings, message] of refused) {
    const { convert, target } = await adapter(t, settings);
    await assert.rejects(convert(), { name: 'CheckpointError', message });
    assert.deepEqual(await readdir(join(target, '..')), []);
  }
});

test('refuses tensors that do not fit the model, by name, and writes nothing', async (t) => {
  const refused: readonly (readonly [Floats, string, RegExp])[] = [
    [{ ...PLAIN, [q('A')]: counted(2, 8) }, 'wrong_shape', /expected \[2,16\] .* got \[2,8\]/],
    [{ ...PLAIN, [q('B')]: counted(8, 2) }, 'wrong_shape', /expected \[16,2\]/],
    [{ ...PLAIN, [q('A')]: counted(3, 16), [q('B')]: counted(16, 3) }, 'wrong_shape', /ranks of adapter_config.json/],
    [{ [q('A', 2)]: counted(2, 16), [q('B', 2)]: counted(16, 2) }, 'wrong_shape', /layers 0 to 1 of this model, got 2/],
    [{ [q('A')]: counted(2, 16) }, 'missing_tensor', /expected lora_B beside lora_A/],
    [{ ...PLAIN, 'base_model.model.lm_head.lora_A.weight': counted(2, 16) }, 'unexpected_tensor', /LM head cannot/],
    [{ 'base_model.model.transformer.wte.lora_embedding_A': counted(2, 16) }, 'unexpected_tensor', /embedding/],
    [
      { ...PLAIN, [q('A').replace('lora_A.weight', 'lora_magnitude_vector')]: counted(2, 8) },
      'unexpected_tensor',
      /DoRA/,
    ],
    [{ ...PLAIN, [q('A', 0, 'attn.c_attn')]: counted(2, 16) }, 'unexpected_tensor', /GPT-J has no such matrix/],
    [{ ...PLAIN, [q('A', 0, 'mlp.q_proj')]: counted(2, 16) }, 'unexpected_tensor', /GPT-J has no such matrix/],
    [{ ...PLAIN, [q('A').replace('lora_A', 'lora_A.default')]: counted(2, 16) }, 'duplicate_tensor', /expected one/],
    [{ ...PLAIN, [q('B')]: { shape: [16, 2], values: Array(32).fill(Number.NaN) } }, 'out_of_range', /got NaN at 0/],
    [{ ...PLAIN, [q('B')]: { shape: [16, 2], values: Array(32).fill(3e38) } }, 'out_of_range', /stay finite times 4/],
  ];
  for (const [tensors, code, message] of refused) {
    const { convert, target } = await adapter(t, {}, safetensors(tensors));
    await assert.rejects(convert(), { name: 'CheckpointError', code, message });
    assert.deepEqual(await readdir(join(target, '..')), []);
  }
});

test('refuses an adapter of some layers where its settings name none', async (t) => {
  const all = { ...PLAIN, [q('A', 1)]: counted(2, 16), [q('B', 1)]: counted(16, 2) };
  for (const [settings, tensors, isRefused] of [
    [{ target_modules: ['q_proj'] }, all, false],
    [{ target_modules: ['q_proj'] }, PLAIN, true],
    [{ target_modules: ['q_proj'], layers_to_transform: [0] }, PLAIN, false],
    [{ target_modules: ['h.0.attn.q_proj'] }, PLAIN, false],
    [{ target_modules: '.*0.*q_proj' }, PLAIN, false],
  ] as const) {
    const { convert } = await adapter(t, settings, safetensors(tensors));
    if (isRefused)
      await assert.rejects(convert(), { code: 'missing_tensor', message: /q_proj of all 2 layers .* got 1/ });
    else await convert();
  }
});

test('refuses files that are no weights, and executes nothing of a pickle', async (t) => {
  const system = Buffer.from('cposix\nsystem\n(S"touch /tmp/executed"\ntR.', 'latin1');
  const legacy = Buffer.concat([Buffer.from('8002', 'hex'), system]);
  for (const [weights, file] of [
    [safetensors(PLAIN).subarray(0, 60), 'adapter_model.safetensors'],
    ['Entry not found', 'adapter_model.safetensors'],
    ['version https://git-lfs.github.com/spec/v1\n', 'adapter_model.bin'],
    [legacy, 'adapter_model.bin'],
    [safetensors(PLAIN), 'pytorch_model.bin'],
  ] as const) {
    const { convert, target } = await adapter(t, {}, weights, file);
    await assert.rejects(convert(), { name: 'CheckpointError' });
    assert.deepEqual(await readdir(join(target, '..')), []);
  }
});

test('refuses to read a stored adapter for another model, and every cut of its file', async (t) => {
  const { convert, target } = await adapter(t);
  await convert();
  await assert.rejects(readAdapter(target, { ...CONFIG, headCount: 4 }, 'exported'), {
    code: 'wrong_shape',
    message: /expected an adapter for 2 layers, width 16, 4 heads.*, got one for 2 layers, width 16, 2 heads/,
  });
  const bytes = await readFile(target);
  for (let length = 0; length < bytes.length; length += 37) {
    await writeFile(target, bytes.subarray(0, length));
    await assert.rejects(readAdapter(target, CONFIG, 'exported'), { name: 'CheckpointError' }, `${length} bytes`);
  }
});

test('reads any damaged byte of a stored adapter as another adapter or refuses it', async (t) => {
  const { convert, target } = await adapter(t);
  await convert();
  const bytes = await readFile(target);
  let refused = 0;
  for (let at = 0; at < 600; at++) {
    const damaged = Buffer.from(bytes);
    damaged[at] = damaged[at]! ^ 0x41;
    await writeFile(target, damaged);
    await readAdapter(target, CONFIG, 'exported').catch((error: { readonly name: string }) => {
      assert.equal(error.name, 'CheckpointError', `byte ${at}`);
      refused++;
    });
  }
  assert.ok(refused > 100, `${refused} of 600`);
});
