import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { GPTJ_PIPELINE_ID } from '@gptj-cloud/protocol';
import { pipelineOf } from '../generation/pipelines/pipeline-identity.ts';
import { DEFAULT_PROJECT_ID } from '../identity/users/first-user.ts';
import { createFakeEngine } from '../testing/fake-model.ts';
import { serveComposition } from '../testing/serve-composition.ts';
import { storeRun } from '../testing/store-run.ts';
import { openTestStore } from '../testing/test-store.ts';
import { beatNode, findLivingNodes, type LivingNode } from './nodes/node-store.ts';
import { createUnservedPipelines, type UnservedPipelines } from './unserved-pipelines.ts';

const GONE = pipelineOf('gone', false).id;
const TEN_MINUTES = 600_000;

describe('pipelines that no server serves', () => {
  let now = 0;
  let isElected = true;
  let waiting: readonly string[];
  let servers: readonly LivingNode[];
  const serving = (...models: readonly string[]): LivingNode => ({ slots: 1, models, capabilities: null });
  let unserved: UnservedPipelines;
  const pass = async (ms: number): Promise<readonly string[]> => {
    now += ms;
    await unserved.look();
    return unserved.ids;
  };
  beforeEach(async () => {
    isElected = true;
    servers = [serving('first', 'second')];
    waiting = [GPTJ_PIPELINE_ID, pipelineOf('second', false).id, GONE];
    unserved = createUnservedPipelines({
      isElected: async () => isElected,
      findWaiting: async () => waiting,
      findServers: async () => servers,
      now: () => now,
    });
    await unserved.look();
  });

  it('count after ten minutes with runs and without a server', async () => {
    assert.deepEqual(await pass(TEN_MINUTES - 1), []);
    assert.deepEqual(await pass(1), [GONE]);
    waiting = [];
    assert.deepEqual(await pass(1), []);
  });

  it('do not count where a server for them was there meanwhile', async () => {
    await pass(TEN_MINUTES - 1);
    servers = [serving('first'), serving('gone')];
    assert.deepEqual(await pass(1), []);
    servers = [serving('first')];
    assert.deepEqual(await pass(TEN_MINUTES - 1), []);
  });

  it('count with a need that none of the servers with the model has, and not while there is no such server', async () => {
    waiting = [`${GONE}#own`, `${GONE}#deterministic`, GONE];
    servers = [{ ...serving('gone'), capabilities: ['deterministic'] }];
    await pass(1);
    assert.deepEqual(await pass(TEN_MINUTES), [`${GONE}#own`]);
    servers = [{ ...serving('gone'), slots: 0, capabilities: [] }];
    assert.deepEqual(await pass(1), []);
    servers = [serving('gone')];
    assert.deepEqual(await pass(2 * TEN_MINUTES), []);
  });

  it('are unknown while a server does not report its models, and to a server that is not elected', async () => {
    servers = [serving('first'), serving()];
    assert.deepEqual(await pass(2 * TEN_MINUTES), []);
    servers = [serving('first')];
    isElected = false;
    assert.deepEqual(await pass(2 * TEN_MINUTES), []);
  });

  it('are found by the models that living servers report', async () => {
    const store = await openTestStore();
    try {
      const load = { slots: 1, busy: 0, isDraining: false, models: ['first', 'second'] };
      await beatNode(store.db, { id: 'a', url: null, load });
      await beatNode(store.db, { id: 'b', url: null, load: { ...load, models: [] } });
      assert.deepEqual(
        (await findLivingNodes(store.db)).map(({ models }) => models).toSorted((a, b) => a.length - b.length),
        [[], ['first', 'second']],
      );
    } finally {
      await store.close();
    }
  });

  it('have their runs ended also by a server without slots', async () => {
    const store = await openTestStore();
    const timing = { leaseMs: 600_000, heartbeatMs: 5, pollMs: 5 };
    const server = await serveComposition({ store, engine: createFakeEngine(), running: 0, timing });
    try {
      const projectId = DEFAULT_PROJECT_ID;
      const ids: string[] = [];
      for (let second = 1; second <= 20; second++) {
        ids.push((await storeRun(store.db, new Date(second * 1000), { projectId, pipelineId: GONE })) ?? '');
      }
      const served = await storeRun(store.db, new Date(1000), { projectId, pipelineId: GPTJ_PIPELINE_ID });
      await server.composition.runs.worker.endUnserved([GONE]);
      for (const id of ids) {
        const { run_state: state, error_info: error } = await server.composition.runs.get(projectId, id);
        assert.equal(state, 'failed');
        assert.match(error?.exception ?? '', /pipeline/i);
      }
      assert.equal((await server.composition.runs.get(projectId, served ?? '')).run_state, 'received');
    } finally {
      await server.close();
      await store.close();
    }
  });
});
