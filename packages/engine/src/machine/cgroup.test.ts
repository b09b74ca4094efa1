import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cgroupCpus, cgroupMemory } from './cgroup.ts';
import { readMachineMemory } from './machine-memory.ts';
import { usableCores } from './usable-cores.ts';

const files =
  (texts: Readonly<Record<string, string>>) =>
  (path: string): string | null =>
    texts[path] ?? null;
const GIB = 2 ** 30;

const V2 = {
  '/proc/self/cgroup': '0::/system.slice/gptj.service\n',
  '/sys/fs/cgroup/system.slice/memory.max': `${16 * GIB}\n`,
  '/sys/fs/cgroup/system.slice/memory.current': `${15 * GIB}\n`,
  '/sys/fs/cgroup/system.slice/memory.stat': `anon 1\ninactive_file ${2 * GIB}\n`,
  '/sys/fs/cgroup/system.slice/gptj.service/memory.max': `${8 * GIB}\n`,
  '/sys/fs/cgroup/system.slice/gptj.service/memory.current': `${GIB}\n`,
  '/sys/fs/cgroup/system.slice/gptj.service/cpu.max': '250000 100000\n',
  '/sys/fs/cgroup/system.slice/cpu.max': 'max 100000\n',
};
const V1 = {
  '/proc/self/cgroup': '4:memory:/docker/abc\n2:cpu,cpuacct:/docker/abc\n1:name=systemd:/docker/abc\n',
  '/sys/fs/cgroup/memory/memory.limit_in_bytes': `${4 * GIB}\n`,
  '/sys/fs/cgroup/memory/memory.usage_in_bytes': `${3 * GIB}\n`,
  '/sys/fs/cgroup/memory/memory.stat': `inactive_file 7\ntotal_inactive_file ${2 * GIB}\n`,
  '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '150000\n',
  '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n',
};

test('reads the limits of a container of either version, and of the groups above it', () => {
  // The group above leaves less: pages of files count as free.
  assert.deepEqual(cgroupMemory(files(V2)), { limitBytes: 16 * GIB, freeBytes: 3 * GIB });
  assert.equal(cgroupCpus(files(V2)), 2.5);
  assert.deepEqual(cgroupMemory(files(V1)), { limitBytes: 4 * GIB, freeBytes: 3 * GIB });
  assert.equal(cgroupCpus(files(V1)), 1.5);
});

test('finds no limits where there are none, and none in files that are no limits', () => {
  const none = {
    '/proc/self/cgroup': '4:memory:/\n2:cpu:/\n0::/../other\n',
    '/sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n',
    '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1\n',
    '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n',
    '/sys/fs/cgroup/memory.max': 'max\n',
  };
  for (const texts of [{}, none]) {
    assert.deepEqual([cgroupMemory(files(texts)), cgroupCpus(files(texts))], [null, null]);
  }
});

test('uses the cores of its processor set and quota, hyper-threads once', () => {
  const siblings = Object.fromEntries(
    Array.from({ length: 8 }, (_, cpu) => [
      `/sys/devices/system/cpu/cpu${cpu}/topology/thread_siblings_list`,
      `${cpu % 4},${(cpu % 4) + 4}\n`,
    ]),
  );
  const cores = (texts: Readonly<Record<string, string>>, logical = 8): number =>
    usableCores(files({ ...siblings, ...texts }), { platform: 'linux', logical });
  assert.equal(cores({}), 4);
  assert.equal(cores({ '/proc/self/status': 'Cpus_allowed_list:\t2,6-7\n' }, 3), 2);
  assert.equal(cores(V2), 2);
  assert.equal(cores(V1), 1);
  assert.equal(cores({ ...V1, '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '50000' }), 1);
  assert.equal(usableCores(files({}), { platform: 'linux', logical: 3 }), 3);
  assert.equal(usableCores(files({}), { platform: 'darwin', logical: 10 }), 10);
});

test('the memory of the machine counts where no lower limit is set', () => {
  const facts = { platform: 'linux' as const, totalBytes: 64 * GIB, freeBytes: 5 };
  const meminfo = { '/proc/meminfo': `MemTotal: 1 kB\nMemAvailable: ${50 * 2 ** 20} kB\n` };
  assert.deepEqual(readMachineMemory(files(meminfo), facts), {
    totalBytes: 64 * GIB,
    freeBytes: 50 * GIB,
    isLimited: false,
  });
  assert.deepEqual(readMachineMemory(files({ ...meminfo, ...V1 }), facts), {
    totalBytes: 4 * GIB,
    freeBytes: 3 * GIB,
    isLimited: true,
  });
  const mac = readMachineMemory(files({}), { ...facts, platform: 'darwin' });
  assert.deepEqual([mac.freeBytes, mac.isLimited], [64 * GIB, false]);
});
