/** `gptj serve` as the server behind an engine, and `gptj serve` on such an engine. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { makeParityProbe } from '@gptj-cloud/engine';
import { GPTJ_PIPELINE_ID } from '@gptj-cloud/protocol';
import { PipelineCloud, throwIfFailed } from '@gptj-cloud/sdk';
import { type RunningServer, serve } from '@gptj-cloud/server';
import { describeCompletionsServer } from './completions-server.contract.ts';
import { NANO_PATH, type OpenedModel, openFile } from './nano-model.ts';
import { openStubServer, type StubFaults } from './stub-server.ts';

const TOKEN = 'completions-token-0123456789';
const QUIET = { print: () => {}, log: () => {} };

async function start(folder: string, environment: Readonly<Record<string, string>> = {}): Promise<RunningServer> {
  return await serve({ port: 0, dataDir: folder, apiToken: TOKEN }, { environment, ...QUIET });
}

describeCompletionsServer('an engine over gptj serve', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'gptj-completions-'));
  const server = await start(folder);
  const own = await openFile(NANO_PATH);
  const close = async (): Promise<void> => {
    await server.close();
    await own.engine.close();
    await rm(folder, { recursive: true, force: true });
  };
  return { url: `${server.url}/v1`, key: TOKEN, own, close };
});

describe('gptj serve on an engine at another server', () => {
  let folder: string;
  let behind: RunningServer;
  let own: OpenedModel;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gptj-on-remote-'));
    behind = await start(join(folder, 'behind'));
    own = await openFile(NANO_PATH);
  });
  after(async () => {
    await behind?.close();
    await own?.engine.close();
    await rm(folder, { recursive: true, force: true });
  });

  const remote = (): Readonly<Record<string, string>> => ({
    GPTJ_ENGINE: `openai=${behind.url}`,
    ENGINE_KEY: TOKEN,
    // The values of q8_0 are those of the server: it has the same file.
    GPTJ_MODEL: NANO_PATH,
  });
  const data = ['Once upon a time', { response_length: 12, do_sample: false }] as const;

  it('executes runs there, streams them, and computes here what the other cannot', async () => {
    const server = await start(join(folder, 'with-fallback'), { ...remote(), ENGINE_FALLBACK: 'on' });
    try {
      const api = new PipelineCloud({ token: TOKEN, url: server.url });
      const there = new PipelineCloud({ token: TOKEN, url: behind.url });
      const { model } = await api.engine.get();
      assert.equal(model.name, (await there.engine.get()).model.name);
      const run = throwIfFailed(await api.runPipeline(GPTJ_PIPELINE_ID, data));
      const expected = throwIfFailed(await there.runPipeline(GPTJ_PIPELINE_ID, data));
      assert.deepEqual(run.resultPreview, expected.resultPreview);
      assert.equal(run.usage?.generatedTokens, 12);
      const texts: string[] = [];
      for await (const text of api.streamPipeline(GPTJ_PIPELINE_ID, data).texts()) texts.push(text);
      assert.ok(JSON.stringify(run.resultPreview).includes(JSON.stringify(texts.join('')).slice(1, -1)));
      const beams = ['Once upon a time', { response_length: 4, num_beams: 3 }] as const;
      const searched = throwIfFailed(await api.runPipeline(GPTJ_PIPELINE_ID, beams));
      const searchedThere = throwIfFailed(await there.runPipeline(GPTJ_PIPELINE_ID, beams));
      assert.deepEqual(searched.resultPreview, searchedThere.resultPreview);
    } finally {
      await server.close();
    }
  });

  it('refuses by name what the other cannot honour where the weights are not loaded', async () => {
    const probeFile = join(folder, 'probe.json');
    await writeFile(probeFile, JSON.stringify(await makeParityProbe(own.engine, own.tokenizer)));
    const server = await start(join(folder, 'alone'), { ...remote(), ENGINE_PROBE: probeFile });
    try {
      const api = new PipelineCloud({ token: TOKEN, url: server.url });
      throwIfFailed(await api.runPipeline(GPTJ_PIPELINE_ID, data));
      const beams = ['Once upon a time', { response_length: 4, num_beams: 3 }] as const;
      await assert.rejects(api.runPipeline(GPTJ_PIPELINE_ID, beams), {
        status: 400,
        message: /num_beams: expected no effect; the server .*ENGINE_FALLBACK=on/,
      });
      const reply = await fetch(`${server.url}/v1/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
        body: JSON.stringify({ prompt: 'a', max_tokens: 2, seed: 7 }),
      });
      assert.equal(reply.status, 400);
      assert.match(await reply.text(), /seed: expected no effect/);
    } finally {
      await server.close();
    }
  });

  it('executes a run again whose stream breaks, counts the attempt, and charges it once', async () => {
    const stub = await openStubServer(own);
    const environment = { GPTJ_ENGINE: `openai=${stub.url}`, GPTJ_MODEL: NANO_PATH };
    const server = await start(join(folder, 'broken-stream'), environment);
    try {
      const api = new PipelineCloud({ token: TOKEN, url: server.url });
      Object.assign(stub.faults, { cutAfter: 5, cuts: 1 } satisfies StubFaults);
      const before = stub.bodies.length;
      const run = throwIfFailed(await api.runPipeline(GPTJ_PIPELINE_ID, data));
      assert.equal(stub.bodies.length, before + 2);
      assert.equal(stub.faults.cuts, 0);
      const there = new PipelineCloud({ token: TOKEN, url: behind.url });
      const expected = throwIfFailed(await there.runPipeline(GPTJ_PIPELINE_ID, data));
      assert.deepEqual(run.resultPreview, expected.resultPreview);
      assert.deepEqual(run.usage?.computedTokens, expected.usage?.computedTokens);
      // A run that breaks every stream ends as the engine's failure.
      Object.assign(stub.faults, { cutAfter: 5, cuts: 99 } satisfies StubFaults);
      const failed = await api.runPipeline(GPTJ_PIPELINE_ID, data);
      assert.equal(failed.runState, 'failed');
      assert.equal(99 - (stub.faults.cuts ?? 0), 2);
    } finally {
      await server.close();
      await stub.close();
    }
  });

  it('does not start where the server computes other values than the probe', async () => {
    const probe = await makeParityProbe(own.engine, own.tokenizer);
    const probeFile = join(folder, 'wrong.json');
    const logprobs = probe.logprobs.map((logprob, at) => (at === 40 ? logprob - 0.05 : logprob));
    await writeFile(probeFile, JSON.stringify({ ...probe, logprobs }));
    await assert.rejects(start(join(folder, 'refused'), { ...remote(), ENGINE_PROBE: probeFile }), {
      code: 'engine_mismatch',
      message: /1 of 6\d log-probabilities of the probe .* that of token 41 is/,
    });
  });
});
