import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { getPriority } from 'node:os';
import { afterEach, test } from 'node:test';
import { ApiError, type ErrorCode } from '@gptj-cloud/protocol';
import { createLogger } from '../telemetry/logger.ts';
import { createJobRunner } from './job-runner.ts';
import { ACT, type TestInput } from './jobs.fixture.ts';
import { openWorkerPool, type WorkerPool, type WorkerPoolOptions } from './worker-pool.ts';

const ENTRY = new URL('./jobs.fixture.js', import.meta.url);

let pool: WorkerPool | null = null;
afterEach(async () => {
  await pool?.close();
  pool = null;
});

function openRunner(options: Partial<WorkerPoolOptions> = {}) {
  const logLines: string[] = [];
  pool = openWorkerPool({
    entry: ENTRY,
    workerData: 'worker',
    threads: 1,
    maxWaiting: 8,
    deadlineMs: 60_000,
    patienceMs: 60_000,
    maxHeapMb: 64,
    logger: createLogger(
      (line) => logLines.push(line),
      () => new Date(),
    ),
    ...options,
  });
  const spent: (readonly [owner: string, ms: number])[] = [];
  const runner = createJobRunner({
    tools: { thread: 'server', stage: () => {} },
    pool,
    maxBytes: 100,
    onTime: (owner, ms) => spent.push([owner, ms]),
  });
  const act = (act: TestInput['act'], size = 1000, owner = 'a') =>
    runner.run(ACT, { act, bytes: new Uint8Array(size).fill(7) }, owner);
  const waitFor = (gate: Int32Array) => runner.run(ACT, { act: 'wait', gate, bytes: new Uint8Array(1000) }, 'a');
  return { act, waitFor, spent, logLines };
}

async function refused(work: Promise<unknown>, code: ErrorCode, message: RegExp = /./): Promise<void> {
  await assert.rejects(work, (error) => {
    assert.ok(error instanceof ApiError, String(error));
    assert.equal(error.code, code);
    assert.match(error.message, message);
    return true;
  });
}

test('a small job is executed on the calling thread, a large one on a worker thread, with their bytes', async () => {
  const { act, spent } = openRunner();
  assert.equal((await act('answer', 100)).thread, 'server');
  const { thread, bytes } = await act('answer', 101);
  assert.deepEqual([thread, bytes], ['worker', new Uint8Array(101).fill(7)]);
  assert.deepEqual(
    spent.map(([owner, ms]) => [owner, ms >= 0]),
    [
      ['a', true],
      ['a', true],
    ],
  );
});

test('threads with other data take the place of the present ones, which end with their task', async () => {
  const { act, waitFor } = openRunner();
  const gate = new Int32Array(new SharedArrayBuffer(4));
  assert.equal((await act('answer')).thread, 'worker');
  const before = waitFor(gate);
  pool?.replace('another');
  assert.equal((await act('answer')).thread, 'another');
  Atomics.store(gate, 0, 1);
  Atomics.notify(gate, 0);
  assert.equal((await before).thread, 'worker');
  assert.equal((await act('answer')).thread, 'another');
});

test('a small job whose work may be long is executed on a worker thread', async () => {
  const { act } = openRunner();
  assert.equal((await act('needs-worker', 1)).thread, 'worker');
});

test('the refusal of a job arrives as it was thrown; a bug arrives as an error without a code', async () => {
  const { act } = openRunner();
  await assert.rejects(act('refuse'), (error) => {
    assert.ok(error instanceof ApiError);
    const expected = new ApiError('invalid_parameter', { reason: 'no' }, { details: { parameters: ['x'] } });
    assert.deepEqual([error.message, error.status, error.details], [expected.message, 400, expected.details]);
    return true;
  });
  await assert.rejects(act('break'), (error) => error instanceof Error && !(error instanceof ApiError));
  assert.equal((await act('answer')).thread, 'worker');
});

test('a job beyond the deadline is ended and named; the next one is executed', async () => {
  const { act, spent, logLines } = openRunner({ deadlineMs: 1000 });
  await act('answer');
  const overdue = refused(act('spin'), 'request_too_costly', /^reading the spinning part takes more than the 1000 ms/);
  await overdue;
  assert.equal((await act('answer')).thread, 'worker');
  assert.ok((spent[1]?.[1] ?? 0) >= 990, 'the time is charged although the job was ended');
  assert.match(logLines.join(''), /the spinning part/);
});

test('a job that needs too much memory is refused; the next one is executed', async () => {
  const { act } = openRunner();
  await refused(act('grow'), 'request_too_costly', /64 MB/);
  assert.equal((await act('answer')).thread, 'worker');
});

test('a thread that ends by itself fails its job alone', async () => {
  const { act } = openRunner();
  await assert.rejects(act('exit'), /ended during a task/);
  assert.equal((await act('answer')).thread, 'worker');
});

test('tasks beyond the queue, and beyond the share of one owner, are refused with a time to retry', async () => {
  const { act, waitFor } = openRunner();
  const gate = new Int32Array(new SharedArrayBuffer(4));
  const ended: string[] = [];
  const follow = (owner: string) => act('answer', 1000, owner).then(() => ended.push(owner));
  await act('answer');
  const first = waitFor(gate);
  const accepted = ['a', 'a', 'b', 'c'].map(follow);
  await assert.rejects(act('answer', 1000, 'a'), (error) => {
    assert.ok(error instanceof ApiError);
    assert.deepEqual([error.code, error.status], ['parsing_busy', 503]);
    assert.notEqual(error.retryAfterSeconds, null);
    return true;
  });
  Atomics.store(gate, 0, 1);
  Atomics.notify(gate, 0);
  await Promise.all([first, ...accepted]);
  // The owners take turns.
  assert.deepEqual(ended, ['a', 'b', 'c', 'a']);
});

test('closing ends tasks that run and tasks that wait', async () => {
  const { act } = openRunner();
  await act('answer');
  const tasks = [act('spin'), act('answer'), act('answer', 1000, 'b')].map((task) => refused(task, 'shutting_down'));
  await pool?.close();
  await Promise.all(tasks);
  await refused(act('answer'), 'shutting_down');
});

test('a task that waits too long for a thread is refused with a time to retry', async () => {
  const { act, waitFor } = openRunner({ patienceMs: 50 });
  const gate = new Int32Array(new SharedArrayBuffer(4));
  await assert.doesNotReject(async () => {
    // The thread may take longer to start than a task may wait.
    while ((await act('answer').catch(() => null)) === null);
  });
  const first = waitFor(gate);
  await refused(act('answer'), 'parsing_busy');
  Atomics.store(gate, 0, 1);
  Atomics.notify(gate, 0);
  await first;
});

test('the threads give way to others of the process', { skip: process.platform !== 'linux' }, async () => {
  const niceOfThreads = (): readonly number[] =>
    readdirSync('/proc/self/task').map((thread) => getPriority(Number(thread)));
  const before = niceOfThreads().filter((nice) => nice > getPriority()).length;
  const { act } = openRunner({ threads: 2 });
  await Promise.all([act('answer'), act('answer')]);
  const lowered = niceOfThreads().filter((nice) => nice > getPriority());
  assert.ok(lowered.length > before, `${lowered}`);
});
