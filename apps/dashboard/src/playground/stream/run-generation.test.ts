import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PipelineCloud } from '@gptj-cloud/sdk';
import { type FakeRuns, runJson, startFakeRuns, tokenJson } from '../../testing/fake-runs.ts';
import { type Generation, type GenerationDeps, resumeGeneration, startGeneration } from './run-generation.ts';

const REQUEST = { key: 'key-1', pipelineId: 'gpt-j:latest', data: ['Once', { seed: 7 }], optional: [] };

/** A generation whose page is a list of what happened, in the words of the sink. */
async function openPage(run: (page: Page) => Promise<void>): Promise<void> {
  const server = await startFakeRuns();
  const log: string[] = [];
  const frames: (() => void)[] = [];
  const pauses: { delayMs: number; go: () => void }[] = [];
  const changes: (() => void)[] = [];
  const note = (line: string): void => {
    log.push(line);
    for (const change of changes.splice(0)) change();
  };
  const deps: GenerationDeps = {
    api: new PipelineCloud({ token: 'token', url: server.url, maxRetries: 0 }),
    nowMs: () => 0,
    onFrame: (task) => {
      frames.push(task);
      note('frame');
    },
    pause: (delayMs, signal) =>
      new Promise((resolve) => {
        pauses.push({ delayMs, go: resolve });
        signal.addEventListener('abort', () => resolve());
        note(`pause ${delayMs}`);
      }),
    sink: {
      accepted: ({ id, runState }) => note(`${id} ${runState}`),
      arrived: (arrivals) => note(arrivals.map(({ text, tokens }) => `${text}(${tokens[0]?.id})`).join('')),
      restarted: () => note('restarted'),
      ended: ({ finishes, failure }) => note(`ended ${finishes} ${failure ?? ''}`.trim()),
      refused: (error) => note(`refused: ${error instanceof Error ? error.message : ''}`),
      reduced: (left) => note(`without ${left}`),
      lost: (retryAtMs) => note(`lost until ${retryAtMs}`),
      searched: (steps) => note(`searched ${steps.length}`),
      found: () => undefined,
    },
  };
  const until = async (line: string): Promise<void> => {
    while (!log.includes(line)) await new Promise<void>((resolve) => changes.push(resolve));
  };
  try {
    await run({ server, deps, log, frames, pauses, until });
  } finally {
    await server.close();
  }
}

interface Page {
  readonly server: FakeRuns;
  readonly deps: GenerationDeps;
  readonly log: string[];
  readonly frames: (() => void)[];
  readonly pauses: { readonly delayMs: number; readonly go: () => void }[];
  readonly until: (line: string) => Promise<void>;
}

/** A generation whose first token is shown. */
async function showToken({ server, deps, frames, until }: Page) {
  const generation = startGeneration(deps, REQUEST);
  const created = await server.next();
  created.event(1, 'run', runJson('run_1', 'running'));
  created.event(2, 'token', tokenJson(5, ' upon'));
  await until('frame');
  frames[0]?.();
  return { generation, created };
}

/** A generation whose connection breaks after a token that is shown, and that follows its run now. */
async function loseAfterToken(page: Page): Promise<Generation> {
  const { pauses, until } = page;
  const { generation, created } = await showToken(page);
  created.break();
  await until('lost until 1000');
  pauses[0]?.go();
  return generation;
}

test('sends the run so that it outlives the page, and delivers tokens once a frame', async () => {
  await openPage(async ({ server, deps, log, frames, until }) => {
    const generation = startGeneration(deps, REQUEST);
    const created = await server.next();
    assert.deepEqual(JSON.parse(created.body), {
      pipeline_id: 'gpt-j:latest',
      data: ['Once', { seed: 7 }],
      stream: true,
      async_run: true,
    });
    assert.equal(created.headers['idempotency-key'], 'key-1');
    created.event(1, 'run', runJson('run_1', 'received'));
    created.event(2, 'token', tokenJson(5, ' upon'));
    await until('frame');
    created.event(3, 'token', tokenJson(6, ' a'));
    created.event(4, 'run', runJson('run_1', 'complete', { finish_reasons: ['length'] }));
    created.end();
    await generation.done;
    assert.deepEqual(log, ['run_1 received', 'frame', ' upon(5) a(6)', 'ended length']);
    assert.equal(frames.length, 1);
  });
});

test('stopping cancels the run, and tokens that come after it are kept', async () => {
  await openPage(async (page) => {
    const { server, log } = page;
    const { generation, created } = await showToken(page);
    generation.stop();
    generation.stop();
    const cancelled = await server.next();
    assert.deepEqual([cancelled.method, cancelled.path], ['POST', '/v2/runs/run_1/cancel']);
    created.event(3, 'token', tokenJson(6, ' a'));
    const failed = runJson('run_1', 'failed', {
      error: 'pipeline_fault',
      error_info: { exception: 'the run was cancelled', traceback: '' },
    });
    cancelled.json(200, failed);
    created.event(4, 'run', failed);
    await generation.done;
    assert.deepEqual(
      log.filter((line) => !line.startsWith('pause')),
      ['run_1 running', 'frame', ' upon(5)', 'frame', ' a(6)', 'ended cancelled'],
    );
  });
});

test('stopping before the run is accepted cancels it when it is; a run whose end is not reported is ended here', async () => {
  await openPage(async ({ server, deps, log, pauses, until }) => {
    const generation = startGeneration(deps, REQUEST);
    const created = await server.next();
    generation.stop();
    created.event(1, 'run', runJson('run_1', 'received'));
    const cancelled = await server.next();
    cancelled.json(500, { detail: { code: 'internal', message: 'no' } });
    await until('pause 10000');
    pauses.at(-1)?.go();
    await generation.done;
    assert.equal(log.at(-1), 'ended cancelled');
  });
});

test('a broken connection is replaced, and a restarted generation makes the earlier tokens void', async () => {
  await openPage(async (page) => {
    const { server, log, pauses, until } = page;
    const generation = await loseAfterToken(page);
    const followed = await server.next();
    assert.deepEqual([followed.method, followed.path], ['GET', '/v2/runs/run_1/events']);
    followed.break();
    await until('lost until 2000');
    pauses[1]?.go();
    const again = await server.next();
    again.event(1, 'run', runJson('run_1', 'running'));
    again.event(2, 'token', tokenJson(5, ' upon'));
    again.event(3, 'run', runJson('run_1', 'complete', { finish_reasons: ['eos'] }));
    await generation.done;
    const shown = log.filter((line) => !/^(?:frame|pause|lost)/.test(line));
    assert.deepEqual(shown, ['run_1 running', ' upon(5)', 'restarted', 'run_1 running', ' upon(5)', 'ended eos']);
  });
});

test('a run that ended while the connection was lost shows its result: the events are gone', async () => {
  await openPage(async (page) => {
    const { server, log } = page;
    const generation = await loseAfterToken(page);
    const more = { finish_reasons: ['length'], result_preview: [{ texts: [' upon a time'] }] };
    (await server.next()).event(7, 'run', runJson('run_1', 'complete', more));
    await generation.done;
    const shown = log.filter((line) => !/^(?:frame|pause|lost)/.test(line));
    assert.deepEqual(shown, ['run_1 running', ' upon(5)', 'restarted', ' upon a time(-1)', 'ended length']);
  });
});

test('a stream that goes on with the end alone shows the result, whose beginning is there', async () => {
  await openPage(async ({ server, deps, log }) => {
    const generation = startGeneration(deps, REQUEST);
    const created = await server.next();
    created.event(1, 'run', runJson('run_1', 'running'));
    created.event(2, 'token', tokenJson(5, ' upon'));
    const more = { finish_reasons: ['length'], result_preview: [{ texts: [' upon a time'] }] };
    created.event(9, 'run', runJson('run_1', 'complete', more));
    await generation.done;
    assert.deepEqual(log.slice(-3), ['restarted', ' upon a time(-1)', 'ended length']);
  });
});

test('a stream that the server ends because it was read too slowly is read again', async () => {
  await openPage(async ({ server, deps, log, pauses, until }) => {
    const generation = startGeneration(deps, REQUEST);
    const created = await server.next();
    created.event(1, 'run', runJson('run_1', 'running'));
    created.event(2, 'error', { code: 'reader_too_slow', message: 'read too slowly' });
    await until('lost until 1000');
    pauses[0]?.go();
    (await server.next()).event(9, 'run', runJson('run_1', 'failed', { error: 'max_retries' }));
    await generation.done;
    assert.equal(log.at(-1), 'ended failed the run failed');
  });
});

test('a page that is opened after the end shows the result, with its log-probabilities', async () => {
  await openPage(async ({ server, deps, log }) => {
    const generation = resumeGeneration(deps, 'key-1', 'run_1');
    const followed = await server.next();
    const logprobs = [[{ token: 5, text: ' upon', logprob: -1, top: [] }]];
    const result = [{ texts: [' upon'], logprobs }];
    followed.event(7, 'run', runJson('run_1', 'complete', { finish_reasons: ['length'], result_preview: result }));
    await generation.done;
    assert.deepEqual(log, ['restarted', ' upon(5)', 'ended length']);
  });
});

test('leaving keeps what has come and does not cancel; a refusal is passed on', async () => {
  await openPage(async ({ server, deps, log, until }) => {
    const generation = startGeneration(deps, REQUEST);
    const created = await server.next();
    created.event(1, 'run', runJson('run_1', 'running'));
    created.event(2, 'token', tokenJson(5, ' upon'));
    await until('frame');
    generation.leave();
    await generation.done;
    assert.equal(log.at(-1), ' upon(5)');
    const refused = startGeneration(deps, { ...REQUEST, key: 'key-2' });
    const request = await server.next();
    request.json(400, { detail: { code: 'invalid_parameter', message: 'temperature: expected a number above 0' } });
    await refused.done;
    assert.equal(log.at(-1), 'refused: 400: temperature: expected a number above 0');
  });
});

test('a request goes without the optional parameters that are refused, once', async () => {
  await openPage(async ({ server, deps, log }) => {
    const data = ['Once', { seed: 7, processed_logprobs: true, top_k: 2 }];
    const generation = startGeneration(deps, { ...REQUEST, data, optional: ['processed_logprobs', 'seed', 'top_k'] });
    const refuse = (...parameters: readonly string[]) => ({
      detail: { code: 'invalid_parameter', message: `${parameters}: expected no effect`, parameters },
    });
    (await server.next()).json(400, refuse('seed', 'processed_logprobs'));
    const less = await server.next();
    assert.deepEqual(JSON.parse(less.body).data, ['Once', { top_k: 2 }]);
    less.json(400, refuse('top_k'));
    await generation.done;
    assert.deepEqual(log, ['without processed_logprobs,seed', 'refused: 400: top_k: expected no effect']);
  });
});

test('shows the steps of a beam search once a frame, and begins again with the generation', async () => {
  await openPage(async ({ server, deps, log, frames, until }) => {
    const generation = startGeneration(deps, REQUEST);
    const created = await server.next();
    const step = (at: number) => ({
      step: at,
      candidates: [{ parent: 0, token: 5, text: 'a', score: -1, kept: true }],
    });
    created.event(1, 'run', runJson('run_1', 'received'));
    created.event(2, 'beams', step(0));
    await until('frame');
    created.event(3, 'beams', step(1));
    created.event(4, 'run', runJson('run_1', 'running'));
    await until('run_1 running');
    for (const show of frames.splice(0)) show();
    created.event(6, 'beams', step(0));
    created.event(7, 'run', runJson('run_1', 'complete', { finish_reasons: ['length'] }));
    created.end();
    await generation.done;
    for (const show of frames.splice(0)) show();
    assert.deepEqual(
      log.filter((line) => line.startsWith('searched')),
      ['searched 0', 'searched 1'],
    );
  });
});
