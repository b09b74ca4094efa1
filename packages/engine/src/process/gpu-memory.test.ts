import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RunProgram } from '../machine/nvidia-gpus.ts';
import type { EngineReport } from './engine-report.ts';
import { findGpuMemory } from './gpu-memory.ts';

const SMI = 'NVIDIA L4, 8.9, 23034, 22000, 580.65.06\nNVIDIA H100 80GB HBM3, 9.0, 81559, 80000, 580.65.06\n';
const LOADED: EngineReport['llama'] = {
  problem: null,
  version: 'v0.5.0',
  backend: 'cuda',
  directory: '/x',
  warnings: [],
};

function machine(smi: string | null, llama: EngineReport['llama'] | Error) {
  const calls: string[] = [];
  const run: RunProgram = async (file) => {
    calls.push(file);
    return smi;
  };
  const probe = async () => {
    calls.push('probe');
    if (llama instanceof Error) throw llama;
    return { llama };
  };
  const find = (env: Record<string, string> = {}) => findGpuMemory(env, new AbortController().signal, { run, probe });
  return { calls, find };
}

test('the memory that counts is that of the largest GPU, where a package for it loads', async () => {
  assert.deepEqual(await machine(SMI, LOADED).find(), {
    name: 'NVIDIA H100 80GB HBM3',
    totalBytes: 81_559 * 2 ** 20,
    freeBytes: 80_000 * 2 ** 20,
    isLimited: false,
  });
  assert.equal(await machine(SMI, { ...LOADED, backend: 'cpu' }).find(), null);
  assert.equal(await machine(SMI, new Error('killed')).find(), null);
});

test('without a GPU, or where settings leave it unused, no library is loaded', async () => {
  for (const [smi, env] of [
    [null, {}],
    ['no devices were found\n', {}],
    [SMI, { ENGINE_GPU_LAYERS: '0' }],
    [SMI, { GPTJ_ENGINE: 'kernels' }],
  ] as const) {
    const { calls, find } = machine(smi, LOADED);
    assert.equal(await find(env), null);
    assert.ok(!calls.includes('probe'));
  }
});
