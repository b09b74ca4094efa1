import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EngineReport, RunProgram } from '@gptj-cloud/engine';
import { checkGpu } from './check-gpu.ts';

const PACKAGES: EngineReport['packages'] = [
  {
    package: '@node-llama-cpp/linux-x64-cuda',
    backend: 'cuda',
    isInstalled: false,
    directory: null,
    problem: 'not installed',
  },
  { package: '@node-llama-cpp/linux-x64', backend: 'cpu', isInstalled: true, directory: '/x', problem: null },
];
const REPORT = { packages: PACKAGES } as EngineReport;

/** Replies of programs by name; others are missing. */
const programs =
  (replies: Readonly<Record<string, string>>): RunProgram =>
  async (file) =>
    replies[file] ?? null;

test('without a GPU nothing is to be installed', async () => {
  const { checks } = await checkGpu(REPORT, programs({}));
  assert.ok(checks.every(({ state }) => state === 'ok'));
  assert.match(checks.at(-1)?.text ?? '', /reports no GPU/);
});

test('a GPU whose code is not in the package is reported to compile it, and the missing package is named', async () => {
  const smi = 'NVIDIA H100 80GB HBM3, 9.0, 81559, 80000, 580.65.06\nNVIDIA L4, 8.9, 23034, 22000, 580.65.06\n';
  const { checks, memory } = await checkGpu(REPORT, programs({ 'nvidia-smi': smi }));
  assert.deepEqual([memory?.name, memory?.freeBytes], ['NVIDIA H100 80GB HBM3', 80_000 * 2 ** 20]);
  const [h100, l4, cuda] = checks;
  assert.match(h100?.text ?? '', /80000 of 81559 MiB free, driver 580.65.06; its code is compiled at the first start/);
  assert.match(l4?.text ?? '', /native code/);
  assert.deepEqual(
    [cuda?.state, cuda?.remedy],
    ['warning', 'npm install --no-save @node-llama-cpp/linux-x64-cuda@3.22.1 (143 MB)'],
  );
});

const onlyLinux = { skip: process.platform === 'linux' ? false : 'ldconfig' };

test(
  'the runtime libraries of CUDA are found where the loader has them, and named where it has not',
  onlyLinux,
  async () => {
    const smi = 'NVIDIA L4, 8.9, 23034, 22000, 580.65.06\n';
    const cached = [12]
      .flatMap((major) => [`libcudart.so.${major}`, `libcublas.so.${major}`])
      .map((file) => `\t${file} (libc6,x86-64) => /opt/cuda/${file}\n`)
      .join('');
    const { checks } = await checkGpu(REPORT, programs({ 'nvidia-smi': smi, ldconfig: cached }));
    const runtime = checks.find(({ name }) => name === 'CUDA 12 runtime');
    assert.deepEqual([runtime?.state, runtime?.text], ['ok', '/opt/cuda/libcudart.so.12, /opt/cuda/libcublas.so.12']);
  },
);
