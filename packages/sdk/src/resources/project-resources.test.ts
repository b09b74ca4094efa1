import assert from 'node:assert/strict';
import { test } from 'node:test';
import { replying, stub } from '../testing/stub-fetch.ts';

const PRESET = { id: 'preset_1', name: 'warm', parameters: { top_k: 5 }, prompt: null, created_at: 1, updated_at: 2 };

test('creates, lists, changes and deletes presets', async () => {
  const made = replying(PRESET, { status: 201 });
  const preset = await made.api.presets.create({ name: 'warm', parameters: { top_k: 5 } });
  assert.deepEqual([preset.parameters, preset.prompt, preset.createdAt.getTime()], [{ top_k: 5 }, null, 1000]);
  assert.deepEqual(made.sent[0]?.body, { name: 'warm', parameters: { top_k: 5 } });
  const list = replying({ skip: 0, limit: 20, total: 1, data: [PRESET] });
  assert.equal((await list.api.presets.list()).items[0]?.id, 'preset_1');
  const changed = replying(PRESET);
  await changed.api.presets.change('preset_1', { prompt: null });
  assert.deepEqual([changed.sent[0]?.method, changed.sent[0]?.body], ['PATCH', { prompt: null }]);
  const gone = stub(() => new Response(null, { status: 204 }));
  await gone.api.presets.delete('a/b');
  assert.equal(gone.sent[0]?.url, 'http://host:1/base/v2/presets/a%2Fb');
});

test('uploads an evaluation, and lists its documents', async () => {
  const wire = {
    name: 'nano',
    hash: 'a',
    model: { adapter: 'engine', model: 'nano', weights: 'b', type: null, engine: null },
    versions: { 'gptj-cloud': '1' },
    seeds: { few_shot: 1, bootstrap: '0' },
    limit: null,
    self_checks: ['x'],
    skipped_self_checks: [],
    tasks: [
      {
        task: 'piqa',
        version: 1,
        form: 'harness',
        shots: 0,
        document_count: 1,
        request_count: 2,
        data_hash: null,
        requests_hash: 'c',
        metrics: [{ metric: 'acc', value: 1, standard_error: null }],
      },
    ],
  };
  const [task] = wire.tasks;
  const stored = { ...wire, id: 'e', tasks: [{ ...task, received: 1 }], is_complete: true, size: 1, created_at: 1 };
  const read = await replying(stored).api.evaluations.get('e');
  assert.deepEqual(read.versions, wire.versions);
  const made = replying(stored, { status: 201 });
  const { id: _, isComplete, size: __, createdAt, tasks, ...report } = read;
  await made.api.evaluations.create({ ...report, tasks: tasks.map(({ received: _, ...each }) => ({ ...each })) });
  assert.deepEqual([made.sent[0]?.body, isComplete, createdAt.getTime()], [wire, true, 1000]);
  const document = {
    id: 0,
    gold: 1,
    log_likelihoods: [-2, -1],
    greedy: [false, true],
    values: { acc_norm: 1 },
    context: 'a',
    choices: ['b', 'c'],
    continuation: null,
    answer: null,
  };
  const given = { margin: 1, is_right: null, is_right_normalized: true };
  const listed = replying({ skip: 0, limit: 20, total: 1, data: [{ ...document, ...given }] });
  const options = { task: 2, order: 'margin:asc', isRight: false } as const;
  const { items } = await listed.api.evaluations.documents('e', options);
  const { margin, isRight, isRightNormalized, ...fields } = items[0]!;
  assert.deepEqual([margin, isRight, isRightNormalized, fields.values], [1, null, true, { acc_norm: 1 }]);
  assert.match(listed.sent[0]?.url ?? '', /documents\?task=2&order_by=margin%3Aasc&is_right=false&limit=20&skip=0$/);
  const added = replying(stored);
  await added.api.evaluations.addDocuments('e', 0, [fields]);
  assert.deepEqual(added.sent[0]?.body, { task: 0, documents: [document] });
});

test('counts and renews recovery codes', async () => {
  const left = replying({ two_factor: true, left: 3, of: 10 });
  assert.deepEqual(await left.api.auth.recoveryCodesLeft(), { twoFactor: true, left: 3, of: 10 });
  const renewed = replying({ recovery_codes: ['a', 'b'] });
  assert.deepEqual(await renewed.api.auth.renewRecoveryCodes({ password: 'p', code: 'c' }), ['a', 'b']);
  assert.deepEqual(renewed.sent[0]?.body, { password: 'p', code: 'c' });
});

test('tests a webhook, rotates its secret, and selects its deliveries', async () => {
  const delivery = {
    id: 'webhook_delivery_1',
    webhook_id: 'webhook_1',
    run_id: null,
    event: 'webhook.test',
    state: 'pending',
    attempts: 0,
    created_at: 1,
    due_at: 1,
  };
  const tested = replying(delivery, { status: 201 });
  const { event, runId } = await tested.api.webhooks.test('webhook_1');
  assert.deepEqual([event, runId, tested.sent[0]?.method], ['webhook.test', null, 'POST']);
  const rotated = replying({
    id: 'webhook_1',
    url: 'https://example.com',
    events: [],
    is_enabled: true,
    failed_attempts: 0,
    created_at: 1,
    updated_at: 1,
    previous_secret_until: 60,
    secret: 'whsec_x',
  });
  const webhook = await rotated.api.webhooks.rotateSecret('webhook_1', { overlapSeconds: 60 });
  assert.deepEqual([webhook.secret, webhook.previousSecretUntil?.getTime()], ['whsec_x', 60_000]);
  assert.deepEqual(rotated.sent[0]?.body, { overlap_seconds: 60 });
  const listed = replying({ skip: 0, limit: 20, total: 1, data: [delivery] });
  await listed.api.webhooks.deliveries('webhook_1', { state: 'failed' });
  assert.match(listed.sent[0]?.url ?? '', /&state=failed$/);
});

test('reads the audit log of a project', async () => {
  const log = replying({ skip: 0, limit: 20, total: 0, data: [] });
  assert.deepEqual((await log.api.projects.auditLog('project_1', { userId: 'user_1' })).items, []);
  assert.match(log.sent[0]?.url ?? '', /\/v2\/projects\/project_1\/audit-log\?.*user_id=user_1$/);
});

test('reads the overview and the queue of the server, cancels, and sets maintenance', async () => {
  const off = { is_on: false, message: null, retry_after_seconds: null, since: null };
  const overview = replying({
    version: '0.1.0',
    node: '20.20.2',
    started_at: 1,
    users: { total: 4, owners: 1, disabled: 0, active_today: 2 },
    plan_requests: 3,
    runs: { received: 1, running: 2, oldest_waiting_ms: null },
    webhooks: { waiting: 0, sending: 0, open_breakers: 0 },
    engine: {
      pipeline_id: 'pipeline_1',
      model: { name: 'm', type: 'gptj', quantisation: 'F32', layers: 1, context: 2048, vocabulary: 5, loaded_in_ms: 1 },
      state: 'ready',
      since: 1,
      reason: null,
      memory_bytes: 1,
      cells: { total: 2, used: 1 },
      active: 0,
      waiting: 0,
      oldest_waiting_ms: 0,
      tokens_per_second: 0,
      history: { interval_seconds: 5, samples: [] },
      models: [],
    },
    store: { kind: 'embedded', bytes: 9 },
    disk: null,
    maintenance: off,
    settings: [
      { name: 'PORT', group: 'Serving', help: 'port', value: '1', default: '`8080`', is_set: true, is_secret: false },
    ],
  });
  const read = await overview.api.admin.overview();
  assert.deepEqual([read.users.activeToday, read.disk, read.settings[0]?.value], [2, null, '1']);
  const queued = {
    id: 'run_1',
    state: 'received',
    project: { id: 'project_1', name: 'p' },
    user: { id: 'user_1', username: 'percy' },
    pipeline_id: 'pipeline_1',
    reserved_tokens: null,
    priority: 0,
    attempts: 0,
    async_run: true,
    created_at: 1,
    started_at: null,
    waited_ms: 5,
    cancel_requested: false,
  };
  const queue = replying({ skip: 0, limit: 5, total: 1, data: [queued] });
  assert.equal((await queue.api.admin.queue({ limit: 5 })).items[0]?.waitedMs, 5);
  assert.match(queue.sent[0]?.url ?? '', /\/v2\/admin\/runs\?skip=0&limit=5$/);
  const gone = stub(() => new Response(null, { status: 204 }));
  await gone.api.admin.cancelRun('run_1');
  assert.match(gone.sent[0]?.url ?? '', /\/v2\/admin\/runs\/run_1\/cancel$/);
  const paused = replying({ is_on: true, message: 'm', retry_after_seconds: 60, since: 1 });
  const state = await paused.api.admin.setMaintenance({ isOn: true, retryAfterSeconds: 60 });
  assert.deepEqual([state.isOn, state.since?.getTime(), paused.sent[0]?.method], [true, 1000, 'PATCH']);
  assert.deepEqual(paused.sent[0]?.body, { is_on: true, retry_after_seconds: 60 });
});
