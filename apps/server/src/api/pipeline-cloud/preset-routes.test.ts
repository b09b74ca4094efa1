import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { presetGetSchema, presetPageSchema, storageGetSchema } from '@gptj-cloud/protocol';
import { sql } from 'drizzle-orm';
import { type Browser, refusal, registerAndSignIn } from '../../testing/browser.ts';
import { NOW, openTestApp, type TestApp } from '../../testing/test-app.ts';

let it: TestApp;
before(async () => {
  let ms = NOW.getTime();
  it = await openTestApp({ clock: () => new Date(++ms) });
});
after(() => it.close());

const make = (by: Browser, body: unknown) => by.ask('/v2/presets', 'POST', body);
const stored = async (by: Browser) => {
  const { bytes, items } = storageGetSchema.parse(await (await by.ask('/v2/storage')).json());
  return [bytes.used, items.used];
};

test('stores, lists, changes and deletes presets, and counts them as stored', async () => {
  const by = await registerAndSignIn(it, 'percy');
  const reply = await make(by, { name: 'warm', parameters: { temperature: 0.7 }, prompt: 'Öd' });
  assert.equal(reply.status, 201);
  const preset = presetGetSchema.parse(await reply.json());
  assert.deepEqual([preset.name, preset.parameters, preset.prompt], ['warm', { temperature: 0.7 }, 'Öd']);
  assert.deepEqual(await stored(by), ['{"temperature":0.7}'.length + 3, 1]);
  await make(by, { name: 'cold', parameters: {} });
  const page = presetPageSchema.parse(await (await by.ask('/v2/presets')).json());
  assert.deepEqual(
    page.data.map(({ name }) => name),
    ['cold', 'warm'],
  );
  const changed = await by.ask(`/v2/presets/${preset.id}`, 'PATCH', { name: 'hot', prompt: null });
  const after = presetGetSchema.parse(await changed.json());
  assert.deepEqual([after.name, after.parameters, after.prompt], ['hot', { temperature: 0.7 }, null]);
  assert.ok(after.updated_at > after.created_at);
  assert.deepEqual(await stored(by), ['{"temperature":0.7}{}'.length, 2]);
  assert.equal((await by.ask(`/v2/presets/${preset.id}`, 'DELETE')).status, 204);
  assert.equal(await refusal(await by.ask(`/v2/presets/${preset.id}`)), '404 not_found');
  assert.deepEqual(await stored(by), [2, 1]);
});

test('refuses a name twice in a project, and unbounded parameters', async () => {
  const by = await registerAndSignIn(it, 'mary');
  assert.equal((await make(by, { name: 'one', parameters: {} })).status, 201);
  assert.equal(await refusal(await make(by, { name: 'one', parameters: {} })), '409 already_exists');
  const two = presetGetSchema.parse(await (await make(by, { name: 'two', parameters: {} })).json());
  assert.equal(await refusal(await by.ask(`/v2/presets/${two.id}`, 'PATCH', { name: 'one' })), '409 already_exists');
  assert.equal((await by.ask(`/v2/presets/${two.id}`, 'PATCH', { name: 'two' })).status, 200);
  for (const bad of [
    { name: 'x', parameters: { a: 'b'.repeat(9000) } },
    { name: 'x', parameters: Object.fromEntries(Array.from({ length: 201 }, (_, i) => [`p${i}`, 1])) },
    { name: 'x', parameters: [] },
    { name: 'x', parameters: {}, prompt: 'p'.repeat(12_001) },
    { name: 'x\ny', parameters: {} },
    { name: 'x', parameters: {}, other: 1 },
  ]) {
    assert.equal(await refusal(await make(by, bad)), '400 invalid_request');
  }
});

test('refuses presets beyond the limit of a project, also when requests come at the same time', async () => {
  const by = await registerAndSignIn(it, 'lord');
  const one = presetGetSchema.parse(await (await make(by, { name: 'preset 0', parameters: {} })).json());
  await it.store.db.execute(sql`
    INSERT INTO presets SELECT 'preset_' || md5(n::text), project_id, 'preset ' || n, parameters, prompt, created_at, updated_at
    FROM presets, generate_series(1, 196) AS n WHERE id = ${one.id}`);
  await Promise.all(Array.from({ length: 6 }, (_, i) => make(by, { name: `new ${i}`, parameters: {} })));
  assert.equal(presetPageSchema.parse(await (await by.ask('/v2/presets')).json()).total, 200);
  assert.equal(await refusal(await make(by, { name: 'more', parameters: {} })), '409 limit_reached');
});
