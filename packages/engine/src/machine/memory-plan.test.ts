import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GPTJ_6B, ModelError } from '@gptj-cloud/model';
import { cellBytes, computeBytes, describeMemory, type MemoryRequest, planMemory } from './memory-plan.ts';

const GB = 1e9;
const machine = (freeBytes: number, totalBytes = freeBytes) => ({ freeBytes, totalBytes, isLimited: false });
/** GPT-J-6B in q4_0. */
const request = (change: Partial<MemoryRequest>): MemoryRequest => ({
  config: GPTJ_6B,
  engine: 'llama',
  path: 'model.gguf',
  fileBytes: 3.5 * GB,
  bytesPerValue: 2,
  machine: machine(64 * GB),
  refuses: true,
  ...change,
});
const refusalOf = (change: Partial<MemoryRequest>): string => {
  try {
    planMemory(request(change));
  } catch (error) {
    assert.ok(error instanceof ModelError && error.code === 'out_of_memory', String(error));
    return error.message;
  }
  return 'planned';
};

test('one position of GPT-J-6B takes 459 kB, its compute buffers 172 MB', () => {
  assert.equal(cellBytes(GPTJ_6B, 2), 458_752);
  // As llama.cpp reports for this shape: 114.44 MiB of compute buffer and 49.22 MiB of output buffer.
  assert.equal((computeBytes('llama', GPTJ_6B) / 2 ** 20).toFixed(1), '163.7');
});

test('the kernels need smaller buffers than llama.cpp, and no second context', () => {
  assert.equal((computeBytes('kernels', GPTJ_6B) / 2 ** 20).toFixed(1), '85.2');
  assert.equal(planMemory(request({ engine: 'kernels' })).isolatedBytes, 0);
});

test('the cache takes a quarter of the memory, one context at least, eight at most, and leaves room for the rest', () => {
  assert.equal(planMemory(request({ machine: machine(256 * GB) })).cacheCells, 8 * 2048);
  assert.equal(planMemory(request({ machine: machine(16 * GB) })).cacheCells, 8704);
  // Little is free: the cache takes what is left beside the context of deterministic requests.
  const tight = planMemory(request({ machine: machine(8.2 * GB, 64 * GB) }));
  assert.ok(tight.totalBytes + tight.isolatedBytes <= 8.2 * GB && tight.cacheCells > 2048, String(tight.cacheCells));
  assert.equal(planMemory(request({ machine: machine(5.3 * GB, 64 * GB) })).cacheCells, 2048);
});

test('settings decide the cache, in tokens or bytes', () => {
  assert.equal(planMemory(request({ cacheCells: 3000 })).cacheCells, 3000);
  assert.equal(planMemory(request({ cacheBytes: 2 ** 30 })).cacheCells, 2304);
  assert.equal(planMemory(request({ cacheBytes: 1 })).cacheCells, 256);
});

test('refuses what cannot fit and names a setting with which it does', () => {
  for (const [change, expected] of [
    [{ cacheCells: 16_384, machine: machine(10 * GB) }, /ENGINE_CACHE_TOKENS=(\d+), which fits/],
    [{ machine: machine(4.8 * GB) }, /ENGINE_CONTEXT=(\d+) and ENGINE_CACHE_TOKENS/],
  ] as const) {
    const refusal = refusalOf(change);
    const tokens = Number(expected.exec(refusal)?.[1]);
    const contextLength = Math.min(2048, tokens);
    const fitted = request({ ...change, cacheCells: tokens, config: { ...GPTJ_6B, contextLength } });
    assert.ok(planMemory(fitted).totalBytes <= fitted.machine.freeBytes, refusal);
    assert.throws(() => planMemory({ ...fitted, cacheCells: tokens + 256 }), ModelError);
  }
});

test('refuses a model whose weights alone do not fit, and says what it needs', () => {
  const refusal = refusalOf({ fileBytes: 24.2 * GB, machine: { ...machine(15 * GB, 16 * GB), isLimited: true } });
  assert.match(refusal, /expected 25\.9 GB of free memory \(weights 24\.2 GB, cache 0\.9 GB for 2048 tokens/);
  assert.match(refusal, /got 15\.0 GB of 16\.0 GB, the limit of the container; no setting makes it fit/);
  assert.equal(refusalOf({ fileBytes: 24.2 * GB, machine: machine(15 * GB), refuses: false }), 'planned');
});

test('describes the plan in one line', () => {
  assert.equal(
    describeMemory(planMemory(request({ machine: machine(16 * GB) }))),
    'Memory: weights 3.5 GB, cache 4.0 GB for 8704 tokens, compute buffers 0.2 GB, program 0.6 GB; 8.3 GB in all, of 16.0 GB free (16.0 GB)',
  );
});

test('counts a draft model, and leaves it out where the model alone fits', () => {
  const small = { ...GPTJ_6B, embeddingSize: 256, layerCount: 12, headCount: 4, feedForwardSize: 1024 };
  const draft = { config: small, fileBytes: 0.04 * GB };
  const [without, beside] = [planMemory(request({})), planMemory(request({ draft }))];
  // Four contexts of 12.3 kB a position.
  assert.deepEqual(beside.draft, {
    weightsBytes: 0.04 * GB,
    cacheCells: 8192,
    cacheBytes: 8192 * 12_288,
    computeBytes: computeBytes('llama', small),
  });
  const { weightsBytes, cacheBytes, computeBytes: buffers } = beside.draft;
  assert.equal(beside.totalBytes - without.totalBytes, weightsBytes + cacheBytes + buffers);
  assert.match(describeMemory(beside), /draft model 0\.3 GB, program/);
  const tight = { cacheCells: 2048, machine: machine(without.totalBytes - without.cacheBytes + 0.95 * GB) };
  const left = planMemory(request({ ...tight, draft }));
  assert.equal(left.draft, null);
  assert.deepEqual(left, planMemory(request(tight)));
  assert.match(refusalOf({ ...tight, cacheCells: 4096, draft }), /ENGINE_CACHE_TOKENS=\d+, which fits/);
});
