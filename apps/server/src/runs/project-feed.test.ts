import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import type { ProjectEvent, RunState, RunSummary } from '@gptj-cloud/protocol';
import { until } from '../testing/until.ts';
import { createProjectFeed, type ProjectFeed, type ProjectReader } from './project-feed.ts';

/** The runs of the store: their project and state. */
let stored: Map<string, { projectId: string; state: RunState }>;
let isBroken: boolean;
let reads: number;
let feed: ProjectFeed;

function summary(id: string, state: RunState): RunSummary {
  return {
    id,
    created_at: 0,
    started_at: null,
    ended_at: null,
    run_state: state,
    pipeline_id: 'p',
    prompt_head: null,
    output_head: null,
    token_id: null,
    token_name: null,
    error: null,
    exception: null,
    usage: null,
    timings: { queued_ms: null, first_token_ms: null, compute_ms: null },
    cost: null,
    seed: null,
    attempts: 1,
    async_run: false,
  };
}

beforeEach(() => {
  stored = new Map();
  isBroken = false;
  reads = 0;
  feed = createProjectFeed({
    async readSummaries(ids) {
      reads++;
      if (isBroken) throw new Error('the store is away');
      return ids.flatMap((id) => {
        const run = stored.get(id);
        return run === undefined ? [] : [{ projectId: run.projectId, summary: summary(id, run.state) }];
      });
    },
    findChanged: async (projectIds, _since, limit) =>
      [...stored]
        .filter(([, { projectId }]) => projectIds.includes(projectId))
        .map(([id]) => id)
        .slice(0, limit),
    clock: () => new Date(0),
    logger: { debug() {}, info() {}, warn() {}, error() {} },
    ownsStore: true,
    collectMs: 0,
  });
});
afterEach(() => feed.close());

const change = (id: string, state: RunState, projectId = 'a'): void => {
  stored.set(id, { projectId, state });
  feed.changed({ projectId, id });
};
const brief = (event: ProjectEvent | null): string | null =>
  event === null
    ? null
    : event.type === 'run'
      ? `${event.run.id} ${event.run.run_state}`
      : event.type === 'deleted'
        ? `${event.id} deleted`
        : event.type;
const next = async (reader: ProjectReader): Promise<string | null> => brief(await reader.next());

test('a reader gets resync first, then the changes of its project alone', async () => {
  const [one, other] = [feed.read('a'), feed.read('b')];
  assert.deepEqual([await next(one), await next(other)], ['resync', 'resync']);
  change('r1', 'received');
  assert.equal(await next(one), 'r1 received');
  change('r2', 'running', 'b');
  change('r1', 'complete');
  assert.equal(await next(one), 'r1 complete');
  assert.equal(await next(other), 'r2 running');
});

test('a deleted run is reported to the readers of its project, in place of what they have not read of it', async () => {
  const [one, other] = [feed.read('a'), feed.read('b')];
  assert.deepEqual([await next(one), await next(other)], ['resync', 'resync']);
  change('r1', 'complete');
  stored.delete('r1');
  feed.changed({ projectId: 'a', id: 'r1' });
  assert.equal(await next(one), 'r1 deleted');
  change('r2', 'received', 'b');
  assert.equal(await next(other), 'r2 received');
});

test('a slow reader gets the last state of each run, and resync where there were too many', async () => {
  const [slow, quick] = [feed.read('a'), feed.read('a')];
  assert.deepEqual([await next(slow), await next(quick)], ['resync', 'resync']);
  change('r1', 'running');
  assert.equal(await next(quick), 'r1 running');
  change('r1', 'complete');
  assert.equal(await next(quick), 'r1 complete');
  assert.equal(await next(slow), 'r1 complete');
  for (let i = 0; i < 501; i++) change(`many${i}`, 'received');
  for (let i = 0; i < 501; i++) {
    const event = await next(quick);
    if (event === 'resync') break;
  }
  assert.equal(await next(slow), 'resync');
});

test('a project without readers is not read', async () => {
  change('r1', 'received');
  const reader = feed.read('a');
  reader.close();
  assert.equal(await reader.next(), null);
  change('r1', 'complete');
  const later = feed.read('a');
  assert.equal(await next(later), 'resync');
  change('r2', 'received');
  assert.equal(await next(later), 'r2 received');
  assert.equal(reads, 1);
});

test('a store that cannot be read makes readers list again', async () => {
  const reader = feed.read('a');
  await reader.next();
  isBroken = true;
  change('r1', 'received');
  assert.equal(await next(reader), 'resync');
});

test('changes of other processes are found by polling, and each is reported once', async () => {
  const reader = feed.read('a');
  await reader.next();
  stored.set('r1', { projectId: 'a', state: 'running' });
  await feed.poll();
  assert.equal(await next(reader), 'r1 running');
  await feed.poll();
  await until(() => reads === 2);
  stored.set('r1', { projectId: 'a', state: 'complete' });
  await feed.poll();
  assert.equal(await next(reader), 'r1 complete');
});

test('closing ends the readers, and later ones at once', async () => {
  const reader = feed.read('a');
  await reader.next();
  const waiting = reader.next();
  await feed.close();
  assert.deepEqual([await waiting, await feed.read('a').next()], [null, null]);
});
