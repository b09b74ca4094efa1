import assert from 'node:assert/strict';
import { access, readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { FOREIGN_ADDRESSES } from './api/other-apis/foreign-addresses.ts';
import { measureProcess } from './telemetry/metrics/process-metrics.ts';
import { createServerMetrics } from './telemetry/metrics/server-metrics.ts';
import { openTestApp } from './testing/test-app.ts';

const read = async (name: string): Promise<string> =>
  await readFile(new URL(`../../../docs/${name}`, import.meta.url), 'utf8');

test('docs/operations.md names every metric of the server', async () => {
  const text = await read('operations.md');
  const metrics = createServerMetrics();
  measureProcess(metrics)();
  const { registry } = metrics;
  for (const name of registry.names) assert.ok(text.includes(`\`${name}\``), name);
});

test('docs/api.md names every route', async () => {
  const text = await read('api.md');
  const it = await openTestApp();
  try {
    const addresses = it.app.routes
      .filter(({ path }) => !path.endsWith('*'))
      // Addresses of other APIs are in the reference alone.
      .filter(({ path }) => !FOREIGN_ADDRESSES.some((each) => each.path === path))
      // Up to the first path parameter, whose name in the page may differ.
      .map(({ path }) => path.split('/:', 1)[0] ?? '');
    assert.ok(addresses.length > 50);
    const named = (address: string): boolean => new RegExp(`${address}(?![\\w-])`).test(text);
    assert.deepEqual(
      [...new Set(addresses)].filter((address) => !named(address)),
      [],
    );
  } finally {
    await it.close();
  }
});

test('every test that docs/security.md names exists', async () => {
  const names = [...(await read('security.md')).matchAll(/`([\w/.-]+)\.test\.ts`/g)].map(([, name = '']) => name);
  assert.ok(names.length > 20);
  for (const name of new Set(names)) {
    const path = name.startsWith('packages/') ? `../../../${name}` : `../src/${name}`;
    await access(new URL(`${path}.test.ts`, import.meta.url));
  }
});
