// Quantises a GGUF file with llama.cpp's own llama_model_quantize, on as many threads as there are cores, and prints how long
// it took: node scripts/trials/quantise-with-llama.mjs SOURCE TARGET q8_0|q6_K|q5_K_M|q4_K_M|q4_0
import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { FILE_TYPES } from '../../packages/checkpoint/dist/index.js';

const engineRequire = createRequire(new URL('../../packages/engine/package.json', import.meta.url));
const koffi = engineRequire('koffi');
const [source, target, type] = process.argv.slice(2);
const bins = join(dirname(engineRequire.resolve('@node-llama-cpp/linux-x64')), '..', 'bins');
const folder = join(bins, readdirSync(bins)[0]);
const named = (pattern) =>
  join(
    folder,
    readdirSync(folder).find((name) => pattern.test(name)),
  );
koffi.load(named(/^libggml-base\./), { global: true });
const ggml = koffi.load(named(/^libggml\./), { global: true });
const llama = koffi.load(named(/^libllama\./), { global: true });

// llama_model_quantize_params of v0.5.0; the fields after these four keep their defaults.
koffi.struct('QuantizeParams', {
  nthread: 'int32_t',
  ftype: 'int32_t',
  output_tensor_type: 'int32_t',
  token_embedding_type: 'int32_t',
  rest: koffi.array('uint8_t', 64),
});
ggml.func('void ggml_backend_load_all_from_path(const char *path)')(folder);
llama.func('void llama_backend_init()')();
const params = llama.func('QuantizeParams llama_model_quantize_default_params()')();
const quantise = llama.func(
  'uint32_t llama_model_quantize(const char *source, const char *target, QuantizeParams *params)',
);
const startedAt = performance.now();
const status = quantise(source, target, { ...params, nthread: availableParallelism(), ftype: FILE_TYPES[type] });
if (status !== 0) throw new Error(`llama_model_quantize: expected status 0, got ${status}`);
const { userCPUTime, systemCPUTime } = process.resourceUsage();
const cpuMs = (userCPUTime + systemCPUTime) / 1000;
console.log(`\n${JSON.stringify({ durationMs: performance.now() - startedAt, cpuMs })}`);
