import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Store } from '../store/db.ts';
import { openTestStore } from '../testing/test-store.ts';
import { until } from '../testing/until.ts';
import { openWebhookHarness, type WebhookHarness } from '../testing/webhook-harness.ts';

let store: Store;
before(async () => {
  store = await openTestStore();
});
after(() => store.close());

test('of the processes on a store the elected one sends, also what the others have stored', async () => {
  const sent: string[] = [];
  let elected = 'b';
  const processes: WebhookHarness[] = [];
  for (const name of ['a', 'b']) {
    const ports = {
      maySend: async () => name === elected,
      wakeSender() {
        // A hint reaches every process.
        for (const { dispatcher } of processes) dispatcher.wake();
      },
      async send() {
        sent.push(name);
        return 204;
      },
    };
    processes.push(openWebhookHarness(store, {}, ports));
  }
  const [a, b] = processes;
  assert.ok(a !== undefined && b !== undefined);
  try {
    const project = await a.newProject();
    await a.create(project, 'http://127.0.0.1:8443/hook');
    await a.endRuns(project, 1);
    a.dispatcher.notify();
    await until(() => sent.length === 1);
    // Its slot looks for more deliveries once the outcome is stored.
    await b.dispatcher.idle();
    // Of a process that has ended, the next one takes over.
    elected = 'a';
    await a.endRuns(project, 1);
    a.dispatcher.notify();
    await until(() => sent.length === 2);
    assert.deepEqual(sent, ['b', 'a']);
  } finally {
    await Promise.all(processes.map(({ dispatcher }) => dispatcher.close()));
  }
});
