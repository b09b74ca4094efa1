import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GpuMemory, MachineMemory } from '@gptj-cloud/engine';
import { GPTJ_6B } from '@gptj-cloud/model';
import { planType } from './plan-type.ts';

const memory = (gigabytes: number): MachineMemory => ({
  totalBytes: gigabytes * 1e9,
  freeBytes: gigabytes * 1e9,
  isLimited: false,
});
const gpu = (name: string, gigabytes: number): GpuMemory => ({ name, ...memory(gigabytes) });
const plan = (machine: MachineMemory, gpu: GpuMemory | null, type: 'f16' | 'q4_0' | null = null) =>
  planType({ config: GPTJ_6B, type, machine, gpu, checksMemory: true });

test('a GPU gets half precision where it fits, which is as fast there, and else the most precise type that fits', () => {
  const h100 = plan(memory(8), gpu('NVIDIA H100', 80));
  assert.equal(h100.type, 'f16');
  assert.match(h100.reason, /^no loss, and it takes 1\d\.\d GB of NVIDIA H100 with one full context, 80\.0 GB free/);
  const l4 = plan(memory(64), gpu('NVIDIA RTX', 12));
  assert.equal(l4.type, 'q8_0');
  assert.match(l4.reason, /^f16 takes 1\d\.\d GB of NVIDIA RTX with one full context, q8_0 \d\.\d GB, 12\.0 GB free/);
});

test('a GPU that holds no type leaves the choice to the memory, and the reason names both', () => {
  const { type, reason } = plan(memory(16), gpu('NVIDIA T400', 2));
  assert.equal(type, 'q8_0');
  assert.match(reason, /NVIDIA T400 has 2\.0 GB free, and q4_0 takes \d\.\d GB: without ENGINE_GPU_LAYERS=0/);
});

test('a type of choice is accepted where the GPU holds it, and refused where neither does', () => {
  assert.match(plan(memory(8), gpu('NVIDIA L4', 22), 'f16').reason, /asked for; it takes .* of NVIDIA L4/);
  assert.throws(() => plan(memory(8), gpu('NVIDIA T4', 10), 'f16'), { code: 'memory_full' });
  assert.equal(plan(memory(16), null).type, 'q8_0');
});
