import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { createTwoModels, type TwoModels } from '../testing/two-models.ts';
import { createRunGate, type GatedModel, type RunGate } from './run-gate.ts';

describe('the gate of runs of two models', () => {
  let models: TwoModels;
  let gate: RunGate;
  /** Pipelines with waiting runs in the store. */
  let waiting: readonly string[];
  let wakes: number;
  let gated: readonly GatedModel[];
  const open = (fitting: 1 | 2, turnMs = 1): void => {
    models = createTwoModels(fitting, turnMs);
    wakes = 0;
    waiting = [];
    gated = [
      { pipelineId: 'a', hosted: models.first.hosted },
      { pipelineId: 'b', hosted: models.second.hosted },
    ];
    gate = createRunGate({
      models: () => gated,
      slots: 8,
      claimable: () => null,
      findWaiting: async () => waiting,
      wake: () => {
        wakes++;
      },
      logger: { debug() {}, info() {}, warn: assert.fail, error: assert.fail },
    });
  };
  const settled = async (): Promise<void> => {
    for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
  };
  beforeEach(() => open(2));
  afterEach(async () => {
    gate.close();
    await models.host.close();
  });

  it('lets no run begin before its model is loaded, which it asks for, and wakes the worker then', async () => {
    waiting = ['a'];
    const letGo = models.hold('first');
    assert.equal(gate.next(8), null);
    await settled();
    assert.deepEqual([models.log, gate.isOpen('a'), wakes], [['load first'], false, 0]);
    letGo();
    await settled();
    assert.deepEqual([gate.isOpen('a'), wakes > 0], [true, true]);
    assert.deepEqual(gate.next(8), { pipelines: ['a'], limit: 8 });
  });

  it('claims at once, and asks the store for nothing, while every model is always loaded', async () => {
    gated = [];
    waiting = ['a'];
    assert.deepEqual(gate.next(8), { pipelines: null, limit: 8 });
    await settled();
    assert.deepEqual(models.log, []);
  });

  it('asks for the model of runs that wait again when a failed load may be repeated', async () => {
    models.fail('first', new Error('no such file'));
    waiting = ['a'];
    gate.next(8);
    await settled();
    // Its runs begin, and fail with the reason.
    assert.deepEqual([gate.isOpen('a'), models.log], [true, ['load first']]);
    models.skipRetryPause();
    assert.deepEqual([gate.isOpen('a'), gate.next(8)], [false, null]);
    await settled();
    assert.deepEqual([gate.isOpen('a'), models.log], [true, ['load first', 'load first']]);
  });

  it('claims the runs of a loaded model while another one loads', async () => {
    await models.host.preload('first');
    models.hold('second');
    waiting = ['b'];
    gate.next(8);
    await settled();
    assert.deepEqual(models.log, ['load first', 'load second']);
    const next = gate.next(8);
    assert.ok(next?.pipelines?.includes('a') && !next.pipelines.includes('b'));
  });

  it('gives each of two models with waiting runs half of the slots, and all that the other leaves', async () => {
    await models.host.preload('first');
    await models.host.preload('second');
    waiting = ['a', 'b'];
    gate.next(8);
    await settled();
    const first = gate.next(8);
    assert.deepEqual(first, { pipelines: ['a'], limit: 4 });
    for (let run = 0; run < 4; run++) gate.enter('a');
    assert.equal(gate.claimed(first, 4), true);
    const second = gate.next(4);
    assert.deepEqual(second, { pipelines: ['b'], limit: 4 });
    gate.enter('b');
    // The second has no more: the first takes the rest.
    assert.equal(gate.claimed(second, 1), true);
    waiting = ['a'];
    assert.deepEqual(gate.next(3)?.pipelines, ['a']);
  });

  it('claims runs of any pipeline where every model is loaded and none waits', async () => {
    await models.host.preload('first');
    await models.host.preload('second');
    assert.deepEqual(gate.next(8), { pipelines: null, limit: 8 });
  });

  it('keeps a model that runs wait for until the last of them has ended', async () => {
    open(1, 60_000);
    waiting = ['a'];
    gate.next(8);
    await settled();
    const other = models.second.hosted.lease();
    const leave = gate.enter('a');
    waiting = [];
    gate.next(8);
    await settled();
    assert.deepEqual(models.log, ['load first']);
    leave();
    (await other).release();
    assert.deepEqual(models.log, ['load first', 'close first', 'load second']);
  });

  it('keeps it no longer than for its turn, and asks for it again', async () => {
    open(1, 0);
    waiting = ['a'];
    gate.next(8);
    await settled();
    const other = models.second.hosted.lease();
    (await other).release();
    assert.deepEqual(models.log, ['load first', 'close first', 'load second']);
    gate.next(8);
    await settled();
    assert.ok(models.log.length > 3 && gate.isOpen('a'));
  });

  it('lets a model go that no run waits for any more', async () => {
    open(1);
    waiting = ['a'];
    gate.next(8);
    await settled();
    waiting = [];
    gate.next(8);
    await settled();
    (await models.second.hosted.lease()).release();
    assert.deepEqual(models.log, ['load first', 'close first', 'load second']);
  });

  it('lets the runs of a model that cannot be loaded begin, so that they fail with the reason', async () => {
    models.fail('first', new Error('no such file'));
    waiting = ['a'];
    assert.equal(gate.next(8), null);
    await settled();
    assert.deepEqual([gate.isOpen('a'), gate.isOpen('b'), wakes > 0], [true, false, true]);
  });
});
