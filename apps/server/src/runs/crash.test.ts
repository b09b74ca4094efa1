import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runCrashTrial } from '../testing/crash-trial.ts';
import { fillDataDir } from '../testing/test-store.ts';

test('24 runs on a server that is killed 3 times end once each and are metered once each', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'gptj-crash-'));
  try {
    await fillDataDir(dataDir);
    const script = fileURLToPath(new URL('../testing/slow-server.js', import.meta.url));
    const report = await runCrashTrial({
      runs: 24,
      kills: 3,
      dataDir,
      command: [script, dataDir],
      random: Math.random,
    });
    assert.equal(report.complete + report.failedAfterMaxAttempts, 24);
    assert.ok(report.complete > 0);
  } finally {
    await rm(dataDir, { recursive: true });
  }
});

test('24 runs on a server whose engine is killed 3 times end once each and are metered once each', async (t) => {
  if (process.platform !== 'linux') return t.skip('finds the engine in /proc');
  const dataDir = await mkdtemp(join(tmpdir(), 'gptj-crash-'));
  try {
    await fillDataDir(dataDir);
    const script = fileURLToPath(new URL('../testing/embedded-server.js', import.meta.url));
    const report = await runCrashTrial({
      runs: 24,
      kills: 3,
      engineShare: 1,
      dataDir,
      command: [script, dataDir],
      random: Math.random,
    });
    assert.equal(report.complete + report.failedAfterMaxAttempts, 24);
    assert.deepEqual([report.serverKills, report.engineKills], [0, 3]);
  } finally {
    await rm(dataDir, { recursive: true });
  }
});
