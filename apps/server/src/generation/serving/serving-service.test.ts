import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { composeModels } from '../../compose-models.ts';
import type { Store } from '../../store/db.ts';
import { createFakeDeps } from '../../testing/fake-deps.ts';
import { byteTokenizer, createFakeEngine } from '../../testing/fake-model.ts';
import { openTestStore } from '../../testing/test-store.ts';
import { pipelineOf } from '../pipelines/pipeline-identity.ts';
import {
  createServingService,
  type ModelOpener,
  type ModelsElsewhere,
  type ServingService,
} from './serving-service.ts';

const CALLER = { userId: null, apiKeyId: null, address: '', requestId: 'r' };

interface Server {
  readonly serving: ServingService;
  readonly names: () => readonly string[];
  readonly log: readonly string[];
  /** Models that its data folder has. */
  readonly stored: Set<string>;
}

describe('the models that owners have servers serve', () => {
  let store: Store;
  let openRuns: Map<string, number>;
  before(async () => {
    store = await openTestStore();
  });
  after(() => store.close());
  beforeEach(async () => {
    openRuns = new Map();
    const { serving } = server();
    for (const { name, from } of await serving.list()) if (from === 'store') await serving.stop(name, CALLER);
  });

  /** A server on the store whose settings name `first`. */
  const server = (first = 'first', elsewhere: ModelsElsewhere | null = null): Server => {
    const clock = () => new Date(0);
    const { deps } = createFakeDeps(clock);
    const engineOf = (modelName: string) => ({
      ...createFakeEngine(),
      info: { ...createFakeEngine().info, modelName },
    });
    const models = composeModels({
      sources: [{ engine: engineOf(first), tokenizer: byteTokenizer }],
      clock,
      observation: deps.observation,
      label: (engine) => engine,
    });
    const stored = new Set(['a', 'b']);
    const log: string[] = [];
    const opener: ModelOpener = {
      find: async (model) => ({ model: `${model}.q8_0`, name: model }),
      async open({ name, model }) {
        if (!stored.has(model.split('.')[0] ?? '')) throw new Error('not in this data folder');
        log.push(`open ${name}`);
        return { engine: engineOf(name), tokenizer: byteTokenizer };
      },
      async close(name) {
        log.push(`close ${name}`);
      },
    };
    const serving = createServingService({
      db: store.db,
      clock,
      logger: deps.logger,
      isShared: false,
      opener,
      elsewhere,
      models: models.all,
      install: (source) => models.add(source),
      uninstall: ({ model }) => models.remove(model.info.modelName),
      countOpenRuns: async (id) => openRuns.get(id) ?? 0,
    });
    return { serving, names: () => models.all.map(({ model }) => model.info.modelName), log, stored };
  };

  it('are opened and closed by every server of the store', async () => {
    const [one, other] = [server(), server()];
    await one.serving.serve({ model: 'a', name: 'x' }, CALLER);
    await other.serving.refresh();
    assert.deepEqual(
      [one.names(), other.names()],
      [
        ['first', 'x'],
        ['first', 'x'],
      ],
    );
    await other.serving.stop('X', CALLER);
    await one.serving.refresh();
    assert.deepEqual([one.names(), other.names(), one.log], [['first'], ['first'], ['open x', 'close x']]);
  });

  it('are opened again where a name means another model', async () => {
    const [one, other] = [server(), server()];
    await one.serving.serve({ model: 'a', name: 'x' }, CALLER);
    await other.serving.stop('x', CALLER);
    await other.serving.serve({ model: 'b', name: 'x' }, CALLER);
    await one.serving.refresh();
    assert.deepEqual(one.log, ['open x', 'close x', 'open x']);
    assert.equal((await one.serving.list()).at(-1)?.model, 'b.q8_0');
  });

  it('keep their name where it is free: two of one name are refused, and nothing stays open', async () => {
    const [one, other] = [server(), server()];
    await one.serving.serve({ model: 'a', name: 'x' }, CALLER);
    await assert.rejects(other.serving.serve({ model: 'b', name: 'X' }, CALLER), { code: 'conflict' });
    await assert.rejects(one.serving.serve({ model: 'b', name: 'first' }, CALLER), { code: 'conflict' });
    assert.deepEqual(other.names(), ['first', 'x']);
  });

  it('wait where the settings have a model of their name, and where the data folder lacks them', async () => {
    const one = server();
    await one.serving.serve({ model: 'a', name: 'x' }, CALLER);
    const settled = server('x');
    await settled.serving.refresh();
    assert.deepEqual(settled.names(), ['x']);
    assert.match((await settled.serving.list()).at(-1)?.reason ?? '', /settings or of the workers/);
    const lacking = server();
    lacking.stored.clear();
    await lacking.serving.refresh();
    const last = (await lacking.serving.list()).at(-1);
    assert.deepEqual([lacking.names(), last?.state, last?.reason], [['first'], 'failed', 'not in this data folder']);
    lacking.stored.add('a');
    await lacking.serving.refresh();
    assert.deepEqual([lacking.names(), (await lacking.serving.list()).length], [['first', 'x'], 2]);
  });

  it('are served as long as runs of them are open', async () => {
    const one = server();
    await one.serving.serve({ model: 'a', name: 'x' }, CALLER);
    openRuns.set(pipelineOf('x', false).id, 2);
    await assert.rejects(one.serving.stop('x', CALLER), { code: 'conflict', message: /2 runs of x have not ended/ });
    assert.deepEqual(one.names(), ['first', 'x']);
    openRuns.clear();
    await one.serving.stop('x', CALLER);
    assert.deepEqual(one.names(), ['first']);
  });

  it('are taken over from another server once the data folder has them', async () => {
    const one = server();
    await one.serving.serve({ model: 'a', name: 'x' }, CALLER);
    const { info } = createFakeEngine();
    const engine = { ...createFakeEngine(), info: { ...info, modelName: 'x' } };
    const source = { engine, tokenizer: byteTokenizer, isElsewhere: true };
    const other = server('first', { find: async () => [source] });
    other.stored.clear();
    await other.serving.refresh();
    assert.deepEqual([other.names(), other.log], [['first', 'x'], []]);
    const [, listed, ...rest] = await other.serving.list();
    assert.deepEqual([listed?.name, listed?.from, listed?.state, rest.length], ['x', 'store', 'loaded', 0]);
    other.stored.add('a');
    await other.serving.refresh();
    assert.deepEqual([other.names(), other.log], [['first', 'x'], ['open x']]);
  });
});
