import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PipelineCloud } from '@gptj-cloud/sdk';
import { runJson, startFakeRuns, tokenJson } from '../../testing/fake-runs.ts';
import { meanLogprob } from '../document/mean-logprob.ts';
import { firstDifference } from '../replay/first-difference.ts';
import type { GenerationTools } from '../store/playground-store.ts';
import { createCompareStore, differingNames } from './compare-store.ts';

test('columns continue one prompt with one seed, each with its own parameters', async () => {
  const server = await startFakeRuns();
  try {
    let ids = 0;
    const changes: (() => void)[] = [];
    const api = new PipelineCloud({ token: 'token', url: server.url, maxRetries: 0 });
    const deps: GenerationTools = {
      pipelineId: () => 'gpt-j:latest',
      api,
      newId: () => `id-${++ids}`,
      randomSeed: () => 7,
      complete: async (pipelineId, data) => await api.runPipeline(pipelineId, data),
      promptData: async (prompt) => prompt.text,
      onFrame: (task) => task(),
      nowMs: () => 0,
      pause: () => new Promise(() => undefined),
    };
    const compare = createCompareStore(deps, { temperature: 0.7 });
    compare.subscribe(() => {
      for (const change of changes.splice(0)) change();
    });
    compare.generate({ text: 'Once', tokens: [], tokenText: '' });
    const requests = [await server.next(), await server.next()];
    const sent = requests.map(({ body }): unknown => JSON.parse(body).data);
    const asked = { return_dict_in_generate: true, logprobs: 10, processed_logprobs: true, trim_stop: true, seed: 7 };
    assert.deepEqual(
      sent.toSorted((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b))),
      [
        ['Once', { ...asked, temperature: 0.7 }],
        ['Once', { ...asked, temperature: 1.1 }],
      ],
    );
    for (const [at, request] of requests.entries()) {
      request.event(1, 'run', runJson(`run_${at}`, 'running'));
      request.event(2, 'token', tokenJson(at, ` ${at}`));
      request.event(3, 'run', runJson(`run_${at}`, 'complete', { finish_reasons: ['length'] }));
    }
    while (compare.get().columns.some(({ isRunning }) => isRunning)) {
      await new Promise<void>((resolve) => changes.push(resolve));
    }
    const texts = compare.get().columns.map(({ output }) => output?.text);
    assert.deepEqual([...texts].sort(), [' 0', ' 1']);
    const [a, b] = compare.get().columns;
    const scoring = compare.score(b?.id ?? '', a?.id ?? '');
    const request = await server.next();
    const report = { token: 0, text: ' 0', logprob: -1, top: [], top_processed: [] };
    const logprobs = [
      [
        { ...report, processed: -2 },
        { ...report, processed: null },
      ],
    ];
    request.json(200, runJson('run_9', 'complete', { result_preview: [{ texts: [' 0'], logprobs }] }));
    await scoring;
    const given = { continuation_ids: b?.output?.tokens?.map(({ id }) => id), temperature: 0.7 };
    const { seed: _, ...others } = asked;
    assert.deepEqual(JSON.parse(request.body).data, ['Once', { ...others, ...given, logprobs: 0 }]);
    assert.equal(JSON.parse(request.body).pipeline_id, 'gpt-j:latest');
    const score = { by: a?.id, result: { mean: -2, possible: 1, logprobs: [-2, null] } };
    assert.deepEqual(compare.get().columns[1]?.score, score);
    compare.setParameters(b?.id ?? '', { temperature: 2 });
    assert.deepEqual(compare.get().columns[1]?.score, score);
    compare.setParameters(a?.id ?? '', { temperature: 0.9 });
    assert.equal(compare.get().columns[1]?.score, null, 'it was about other parameters');
    compare.setModel(a?.id ?? '', { name: 'story', pipelineId: 'pipeline_of_story' });
    const byModel = compare.score(b?.id ?? '', a?.id ?? '');
    const ofModel = await server.next();
    assert.equal(JSON.parse(ofModel.body).pipeline_id, 'pipeline_of_story');
    ofModel.json(200, runJson('run_10', 'complete', { result_preview: [{ texts: [' 0'], logprobs }] }));
    await byModel;
    assert.deepEqual(compare.get().columns[1]?.score?.result?.logprobs, [-2, null]);
    compare.clearScore(b?.id ?? '');
    assert.equal(compare.get().columns[1]?.score, null);
    compare.swap();
    assert.deepEqual(
      compare.get().columns.map(({ output }) => output?.text),
      texts.toReversed(),
    );
    compare.add();
    compare.add();
    compare.add();
    assert.equal(compare.get().columns.length, 4);
  } finally {
    await server.close();
  }
});

test('columns are compared by parameters, tokens and log-probabilities', () => {
  const columns = [{ parameters: { temperature: 1, top_k: 5 } }, { parameters: { temperature: 2, top_k: 5, seed: 1 } }];
  assert.deepEqual(differingNames(columns), ['seed', 'temperature']);
  const ids = (...list: readonly number[]) => list.map((id) => ({ id }));
  assert.deepEqual(
    [firstDifference(ids(1, 2), ids(1, 2)), firstDifference(ids(1, 2), ids(1, 3)), firstDifference(ids(1), ids(1, 3))],
    [null, 1, 1],
  );
  assert.deepEqual(meanLogprob([{ logprob: 0 }, { logprob: null }, { logprob: -2 }]), {
    mean: -1,
    perplexity: Math.E,
  });
  assert.equal(meanLogprob([]), null);
});
