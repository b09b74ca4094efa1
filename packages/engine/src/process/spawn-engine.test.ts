import assert from 'node:assert/strict';
import { readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { after, describe, it } from 'node:test';
import { parseGenerateParameters, readGenerateParameters } from '@gptj-cloud/decoding';
import { ModelError } from '@gptj-cloud/model';
import { describeEngine } from '../engine.contract.ts';
import type { GenerationEvent } from '../engine.ts';
import { makeTinyAdapters } from '../tiny-adapters.fixture.ts';
import { greedyCases, makeTinyModel } from '../tiny-model.fixture.ts';
import { deferred } from './deferred.ts';
import { type SpawnEngineOptions, type SpawnedEngine, spawnEngine } from './spawn-engine.ts';

const file = await makeTinyModel(128);
const { files: adapters, remove } = await makeTinyAdapters(file.path);
after(() => Promise.all([file.remove(), remove()]));

const options: SpawnEngineOptions = {
  path: file.path,
  cacheType: 'f32',
  cacheCells: 512,
  threads: 1,
  adapters,
  restartDelayMs: 1,
};

describeEngine('the engine in a process of its own', () => spawnEngine(options), adapters);

describe('the engine process', () => {
  const generate = (engine: SpawnedEngine, prompt: readonly number[], tokens = 64): AsyncIterable<GenerationEvent> => {
    const context = { vocabSize: 384, contextLength: 128, eosTokenId: 383, promptLength: prompt.length };
    const { config } = parseGenerateParameters({ max_new_tokens: tokens, eos_token_id: -1 }, context);
    return engine.generate({ prompt, config });
  };
  const sequence = async (events: AsyncIterable<GenerationEvent>): Promise<readonly number[] | undefined> => {
    for await (const event of events) if (event.type === 'finished') return event.outcome.sequences[0]?.tokens;
    return undefined;
  };

  it('reports the memory that the model takes before it loads it, and how much is loaded', async () => {
    const reports: string[] = [];
    const engine = await spawnEngine({
      ...options,
      onMemory: ({ cacheCells }) => reports.push(`memory ${cacheCells}`),
      onProgress: (share) => reports.push(share < 1 ? 'progress' : 'loaded'),
    });
    await engine.close();
    assert.deepEqual([reports[0], reports.at(-1)], ['memory 512', 'loaded']);
  });

  it('ends the opening, also while the model loads, when its signal aborts', async () => {
    const stop = new AbortController();
    const opening = spawnEngine({ ...options, signal: stop.signal, onMemory: () => stop.abort() });
    await assert.rejects(opening, { name: 'ModelError', code: 'engine_failed' });
  });

  it('refuses a model that does not fit into the memory before it loads it', async () => {
    const reports: string[] = [];
    const huge = { ...options, cacheCells: 2 ** 40, onProgress: () => reports.push('progress') };
    await assert.rejects(spawnEngine(huge), (error) => {
      assert.ok(error instanceof ModelError && error.code === 'out_of_memory');
      assert.match(error.message, /ENGINE_CACHE_TOKENS=\d+, which fits/);
      return true;
    });
    assert.deepEqual(reports, []);
  });

  it('serves shorter texts with a shorter context, and not more cache than it is given', async () => {
    const engine = await spawnEngine({ ...options, contextLength: 64, cacheCells: 256 });
    assert.deepEqual([engine.info.config.contextLength, engine.info.cacheCells], [64, 256]);
    await engine.close();
  });

  it('restarts after SIGKILL: generations under way fail with engine_failed, later ones are served', async () => {
    const reasons: string[] = [];
    const draftPath = file.path;
    const engine = await spawnEngine({ ...options, draftPath, onRestart: (reason) => reasons.push(reason) });
    try {
      assert.equal(engine.info.draftModelName, engine.info.modelName);
      const [first] = await greedyCases();
      const killed = engine.pid!;
      const run = async (): Promise<void> => {
        for await (const event of generate(engine, first!.prompt, 120)) {
          if (event.type === 'started') process.kill(killed, 'SIGKILL');
        }
      };
      await assert.rejects(run(), { name: 'ModelError', code: 'engine_failed' });
      assert.deepEqual(reasons, ['signal SIGKILL']);
      assert.deepEqual(await sequence(generate(engine, first!.prompt)), first!.tokens);
      assert.notEqual(engine.pid, killed);
    } finally {
      await engine.close();
    }
  });

  it('gives generations the large parameters that they share, also after a restart', async () => {
    const restarted = deferred<void>();
    const engine = await spawnEngine({ ...options, onRestart: () => restarted.resolve() });
    try {
      const read = readGenerateParameters(
        {
          max_new_tokens: 3,
          eos_token_id: -1,
          sequence_bias: Array.from({ length: 300 }, (_, id) => [[id], id === 299 ? 1000 : 0]),
        },
        { vocabSize: 384, contextLength: 128, eosTokenId: 383 },
      );
      const generated = (prompt: readonly number[]) =>
        sequence(engine.generate({ prompt, config: read(prompt.length).config }));
      const favoured = [299, 299, 299];
      assert.deepEqual(await Promise.all([generated([1]), generated([2, 3])]), [favoured, favoured]);
      process.kill(engine.pid!, 'SIGKILL');
      await restarted.promise;
      assert.deepEqual([await generated([4]), await generated([5])], [favoured, favoured]);
    } finally {
      await engine.close();
    }
  });

  it('refuses stats() with engine_failed when the process does not answer within the time limit', async (t) => {
    if (process.platform === 'win32') return t.skip('Windows cannot stop a process without ending it');
    const engine = await spawnEngine({ ...options, statsTimeoutMs: 20 });
    try {
      process.kill(engine.pid!, 'SIGSTOP');
      const expected = { name: 'ModelError', code: 'engine_failed', message: /within 20 ms/ };
      await assert.rejects(async () => engine.stats?.(), expected);
    } finally {
      process.kill(engine.pid!, 'SIGCONT');
      await engine.close();
    }
  });

  it('fails a generation that waits for a restart with closed when the engine is closed', async () => {
    const restarting = deferred<void>();
    const engine = await spawnEngine({
      ...options,
      restartDelayMs: 600_000,
      onRestart: () => restarting.resolve(undefined),
    });
    process.kill(engine.pid!, 'SIGKILL');
    await restarting.promise;
    const refused = assert.rejects(sequence(generate(engine, [1])), { name: 'ModelError', code: 'closed' });
    await engine.close();
    await refused;
  });

  it('restores prefixes that an earlier process persisted, also after SIGKILL', async () => {
    const folder = join(dirname(file.path), 'persisted');
    const warnings: string[] = [];
    const persisting: SpawnEngineOptions = {
      ...options,
      cacheType: 'f16',
      persistedPrefixes: { folder, maxBytes: 2 ** 20 },
      onWarning: (message) => warnings.push(message),
    };
    const beginning = Array.from({ length: 90 }, (_, i) => (7 * i) % 380);
    const ask = async (engine: SpawnedEngine, last: number): Promise<[number, readonly number[] | undefined]> => {
      for await (const event of generate(engine, [...beginning, last], 8)) {
        if (event.type === 'finished') return [event.usage.cachedTokens, event.outcome.sequences[0]?.tokens];
      }
      return assert.fail('the generation did not finish');
    };
    const first = await spawnEngine(persisting);
    const expected = await ask(first, 1);
    assert.equal((await ask(first, 2))[0], 90);
    await first.close();
    const second = await spawnEngine(persisting);
    try {
      assert.deepEqual(await ask(second, 1), [90, expected[1]]);
      process.kill(second.pid!, 'SIGKILL');
      // Fails with the killed process, or waits for the next one.
      await ask(second, 2).catch(() => undefined);
      assert.equal((await ask(second, 3))[0], 90);
    } finally {
      await second.close();
    }
    const [name = ''] = await readdir(folder);
    await writeFile(join(folder, name), 'not a prefix file');
    const third = await spawnEngine(persisting);
    try {
      assert.deepEqual(await ask(third, 1), [0, expected[1]]);
    } finally {
      await third.close();
    }
    assert.deepEqual(warnings, []);
    const unusable = { ...persisting, persistedPrefixes: { folder: join(file.path, 'persisted'), maxBytes: 1 } };
    await assert.rejects(spawnEngine(unusable), { code: 'invalid_config', message: /folder for persisted prefixes/ });
  });

  it('coalesces delayed events, each with its own time, and sends them with the next event that is not delayed', async () => {
    const engine = await spawnEngine(options);
    try {
      const [first] = await greedyCases();
      const context = { vocabSize: 384, contextLength: 128, eosTokenId: 383, promptLength: first!.prompt.length };
      const { config } = parseGenerateParameters({ max_new_tokens: 64, eos_token_id: -1 }, context);
      // An hour never passes: all events arrive with the end.
      const request = { prompt: first!.prompt, config, maxEventDelayMs: 3_600_000 };
      const events: GenerationEvent[] = [];
      for await (const event of engine.generate(request)) events.push(event);
      const tokens = events.flatMap((event) => (event.type === 'tokens' ? [event] : []));
      assert.deepEqual(
        tokens.flatMap((event) => event.tokens),
        first!.tokens,
      );
      const times = tokens.map(({ atMs }) => atMs ?? Number.NaN);
      assert.ok(times.length > 1 && times.every((time, i) => time >= (times[i - 1] ?? 0)), String(times));
      // A message with another generation's token carries the delayed event as well.
      const delayed = engine.generate(request)[Symbol.asyncIterator]();
      const next = delayed.next();
      for await (const event of generate(engine, [1, 2, 3])) if (event.type === 'tokens') break;
      assert.equal((await next).value?.type, 'started');
      await delayed.return?.();
    } finally {
      await engine.close();
    }
  });

  it('has exited when close resolves, also during a generation', async () => {
    const engine = await spawnEngine(options);
    const pid = engine.pid!;
    const run = sequence(generate(engine, [1], 120));
    const refused = assert.rejects(run, { name: 'ModelError' });
    const first = engine.close();
    const second = engine.close();
    assert.equal(second, first);
    await second;
    await refused;
    assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
  });

  it('refuses a file that it cannot load with model_file_invalid', async () => {
    const path = join(dirname(file.path), 'noise.gguf');
    await writeFile(path, 'not a model');
    await assert.rejects(spawnEngine({ ...options, path }), {
      name: 'ModelError',
      code: 'model_file_invalid',
      message: /noise\.gguf/,
    });
  });

  it('refuses to open without the library with library_missing', async () => {
    process.env.GPTJ_LLAMA_LIBRARY = dirname(file.path);
    try {
      await assert.rejects(spawnEngine({ ...options, kind: 'llama' }), {
        name: 'ModelError',
        code: 'library_missing',
      });
    } finally {
      delete process.env.GPTJ_LLAMA_LIBRARY;
    }
  });
});
