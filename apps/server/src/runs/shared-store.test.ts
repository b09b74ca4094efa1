/** Two servers on one store execute, cancel and wait for each other's runs. */
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import type { Engine } from '@gptj-cloud/engine';
import { GPTJ_PIPELINE_ID } from '@gptj-cloud/protocol';
import { compose } from '../compose.ts';
import type { Principal } from '../identity/principal.ts';
import { DEFAULT_PROJECT_ID, FIRST_USER_ID } from '../identity/users/first-user.ts';
import type { Store } from '../store/db.ts';
import { createFakeDeps } from '../testing/fake-deps.ts';
import { byteTokenizer, createFakeEngine, type FakeEngine } from '../testing/fake-model.ts';
import { createOpenAdmission, type OpenAdmission } from '../testing/open-admission.ts';
import { bookOf, planOf } from '../testing/plans.ts';
import { createScriptedEngine } from '../testing/scripted-engine.ts';
import { openTestStore } from '../testing/test-store.ts';
import { until } from '../testing/until.ts';
import { pickleInput } from './input-pickle.ts';
import type { AcceptedRun } from './run-acceptance.ts';
import type { RunService } from './run-service.ts';
import { runs as runRows } from './run-tables.ts';

const PRINCIPAL: Principal = {
  userId: FIRST_USER_ID,
  projectId: DEFAULT_PROJECT_ID,
  apiKeyId: null,
  role: 'owner',
  planId: 'owner',
  scopes: ['admin'],
};

interface Server {
  readonly runs: RunService;
  readonly engine: FakeEngine;
  readonly admission: OpenAdmission;
}

let store: Store;
let servers: Server[];
before(async () => {
  store = await openTestStore();
});
after(() => store.close());
beforeEach(() => {
  servers = [];
});
afterEach(async () => {
  for (const { runs, engine } of servers) {
    engine.resume();
    await runs.worker.stop();
    await runs.worker.drained;
    await runs.close();
  }
  // Runs that were put back must not reach the servers of the next test.
  await store.db.delete(runRows);
});

/** Start another server. Any server with a free slot claims a waiting run: the first is busy before the second joins. */
async function join(generator?: Engine): Promise<Server> {
  const server = openServer(generator);
  servers.push(server);
  await server.runs.start();
  return server;
}

/** One slot, and frequent polls for what other servers do; leases outlast the test. */
function openServer(generator?: Engine): Server {
  const engine = createFakeEngine();
  const admission = createOpenAdmission();
  const { deps } = createFakeDeps(() => new Date());
  const { runs } = compose({
    ...deps,
    engine: generator ?? engine,
    tokenizer: byteTokenizer,
    store,
    admission,
    plans: bookOf(planOf('owner')),
    settings: { ...deps.settings, ownsStore: false, maxRunningRuns: 1, maxWaitingRuns: 20 },
    runTiming: { leaseMs: 600_000, heartbeatMs: 5, pollMs: 5 },
  });
  return { runs, engine, admission };
}

async function submit({ runs }: Server, isAsync: boolean, length = 1n): Promise<AcceptedRun> {
  return await runs.create({
    principal: PRINCIPAL,
    request: { pipeline_id: GPTJ_PIPELINE_ID, async_run: isAsync },
    input: pickleInput(['hi', new Map([['response_length', length]])]),
    idempotencyKey: null,
  });
}

test('each run is executed by one server, also when the other accepted it', async () => {
  const a = await join();
  a.engine.hold();
  const first = await submit(a, true);
  await until(() => a.engine.began === 1);
  const b = await join();
  const others = await Promise.all(Array.from({ length: 5 }, () => submit(a, true)));
  for (const { id } of others) {
    assert.equal((await b.runs.waitUntilEnded(DEFAULT_PROJECT_ID, id)).run_state, 'complete');
  }
  assert.deepEqual([a.engine.began, b.engine.began], [1, 5]);
  a.engine.resume();
  assert.equal((await b.runs.waitUntilEnded(DEFAULT_PROJECT_ID, first.id)).run_state, 'complete');
});

test('a caller who waits at one server gets the run that the other has executed', async () => {
  const a = await join();
  a.engine.hold();
  const held = await submit(a, true);
  await until(() => a.engine.began === 1);
  const b = await join();
  const waiting = await submit(a, false);
  assert.equal((await waiting.waitUntilEnded()).run_state, 'complete');
  assert.equal(b.engine.began, 1);
  // A run left in the store would be claimed by the servers of the next test.
  a.engine.resume();
  assert.equal((await a.runs.waitUntilEnded(DEFAULT_PROJECT_ID, held.id)).run_state, 'complete');
});

test('a run that is cancelled at one server stops at the other', async () => {
  const b = await join();
  b.engine.hold();
  const { id } = await submit(b, true);
  await until(() => b.engine.began === 1);
  const a = await join();
  const cancelled = await a.runs.cancel(DEFAULT_PROJECT_ID, id);
  assert.deepEqual([cancelled.run_state, cancelled.error], ['failed', 'pipeline_fault']);
  await until(() => b.runs.worker.running === 0);
});

/** A run that `a` accepted and that `b` executes: it is held before its third and last token. */
async function executedElsewhere(): Promise<{ readonly a: Server; readonly b: Server; readonly id: string }> {
  const a = await join();
  a.engine.hold();
  await submit(a, true);
  await until(() => a.engine.began === 1);
  let reached = (): void => {};
  const midway = new Promise<void>((resolve) => {
    reached = resolve;
  });
  const pause = (token: number): Promise<void> | null => {
    if (token < 2) return null;
    reached();
    return new Promise(() => {});
  };
  const b = await join(createScriptedEngine(() => ({ sequences: [[120, 120, 120]], pause })));
  const { id } = await submit(a, true, 3n);
  await midway;
  return { a, b, id };
}

test('the server that executes a run of another charges for its prompt, too, when it is cancelled midway', async () => {
  const { b, id } = await executedElsewhere();
  assert.equal((await b.runs.cancel(DEFAULT_PROJECT_ID, id)).run_state, 'failed');
  assert.deepEqual(
    b.admission.settled.map(({ promptTokens, generatedTokens }) => [promptTokens, generatedTokens]),
    [[2, 2]],
  );
});

test('a run that is cancelled at one server is ended, and charged, by the other that executes it', async () => {
  const { a, b, id } = await executedElsewhere();
  assert.equal((await a.runs.cancel(DEFAULT_PROJECT_ID, id)).run_state, 'failed');
  assert.deepEqual(
    b.admission.settled.map(({ promptTokens, generatedTokens }) => [promptTokens, generatedTokens]),
    [[2, 2]],
  );
  assert.deepEqual([a.admission.settled, a.admission.cancelled], [[], []]);
});
