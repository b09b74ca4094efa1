import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parseGenerateParameters } from '@gptj-cloud/decoding';
import type { ModelError } from '@gptj-cloud/model';
import type { GenerationEvent, GenerationRequest } from '../engine.ts';
import { makeTinyModel } from '../tiny-model.fixture.ts';
import { deferred } from './deferred.ts';
import { type SpawnEngineOptions, type SpawnedEngine, spawnEngine } from './spawn-engine.ts';

const file = await makeTinyModel(128);
after(() => file.remove());

const options: SpawnEngineOptions = {
  path: file.path,
  cacheType: 'f32',
  cacheCells: 512,
  threads: 1,
  restartDelayMs: 1,
  stallMs: 1_000,
  module: new URL('./stalling-engine.fixture.js', import.meta.url),
};

function request(parameters: Record<string, unknown>): GenerationRequest {
  const context = { vocabSize: 384, contextLength: 128, eosTokenId: 383, promptLength: 1 };
  return { prompt: [1], config: parseGenerateParameters({ eos_token_id: -1, ...parameters }, context).config };
}

const stalling = request({ max_new_tokens: 2, prefix_allowed_tokens_fn: { regex: 'a*' } });
const plain = request({ max_new_tokens: 8 });

async function outcome(events: AsyncIterable<GenerationEvent>): Promise<string> {
  try {
    for await (const event of events) if (event.type === 'finished') return 'finished';
    return 'ended';
  } catch (error) {
    return (error as ModelError).code;
  }
}

/** The same events, and their types in `types`. */
async function* noted(events: AsyncIterable<GenerationEvent>, types: string[]): AsyncIterable<GenerationEvent> {
  for await (const event of events) {
    types.push(event.type);
    yield event;
  }
}

/** An engine that stalls, and the reasons of its restarts. */
async function open(more: Partial<SpawnEngineOptions> = {}): Promise<Opened> {
  const stalls = deferred<void>();
  const restart = deferred<string>();
  const engine = await spawnEngine({
    ...options,
    onWarning: () => stalls.resolve(),
    onRestart: restart.resolve,
    ...more,
  });
  return { engine, busy: stalls.promise, restart: restart.promise };
}

interface Opened {
  readonly engine: SpawnedEngine;
  /** The step that never returns has begun. */
  readonly busy: Promise<void>;
  /** The reason of the first restart. */
  readonly restart: Promise<string>;
}

describe('an engine process that makes no progress', { timeout: 60_000 }, () => {
  it('is killed and restarted; the generation that stalled it fails, one that has no token yet is generated again', async () => {
    const { engine, busy, restart } = await open();
    try {
      const types: string[] = [];
      const bad = outcome(noted(engine.generate(stalling), types));
      await busy;
      const good = outcome(engine.generate(plain));
      assert.deepEqual(await Promise.all([bad, good]), ['generation_stalled', 'finished']);
      assert.deepEqual(types, ['stalling']);
      assert.match(await restart, /^stalled: one step of a generation was busy for [\d.]+ s$/);
    } finally {
      await engine.close();
    }
  });

  it('lets a generation that has tokens fail with engine_interrupted', async () => {
    const { engine } = await open();
    try {
      let codes: readonly string[];
      do {
        const events = engine.generate(request({ max_new_tokens: 127 }))[Symbol.asyncIterator]();
        while ((await events.next()).value?.type !== 'tokens');
        const bad = outcome(engine.generate(stalling));
        codes = await Promise.all([bad, outcome({ [Symbol.asyncIterator]: () => events })]);
        // It may have finished before the other one began.
      } while (codes[1] === 'finished');
      assert.deepEqual(codes, ['generation_stalled', 'engine_interrupted']);
    } finally {
      await engine.close();
    }
  });

  it('ends a cancelled generation at once, and is killed when its step still does not return', async () => {
    const { engine, busy, restart } = await open({ stallMs: 3_600_000 });
    try {
      const controller = new AbortController();
      const bad = outcome(engine.generate(stalling, controller.signal));
      await busy;
      controller.abort();
      assert.equal(await bad, 'aborted');
      assert.equal(await restart, 'stalled: a cancelled generation kept the main thread busy');
      assert.equal(await outcome(engine.generate(plain)), 'finished');
    } finally {
      await engine.close();
    }
  });

  it('is killed when the whole process is stopped', async (t) => {
    if (process.platform === 'win32') return t.skip('Windows cannot stop a process without ending it');
    const { engine, restart } = await open();
    try {
      process.kill(engine.pid!, 'SIGSTOP');
      // Sent to the stopped process, and to the next one by the caller's own retry.
      assert.equal(await outcome(engine.generate(plain)), 'engine_failed');
      assert.equal(await outcome(engine.generate(plain)), 'finished');
      assert.equal(await restart, 'stalled: no sign of life for 1.0 s');
    } finally {
      await engine.close();
    }
  });

  it('ends when its parent is killed, while its main thread is busy', async () => {
    const program = fileURLToPath(new URL('./busy-orphan.fixture.js', import.meta.url));
    const parent = spawn(process.execPath, [program, file.path], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = await once(parent.stdout, 'data');
    const pid = Number(String(line));
    assert.ok(pid > 0, String(line));
    parent.kill('SIGKILL');
    const isAlive = (): boolean => {
      try {
        process.kill(pid, 0);
        // In a container whose first process does not collect orphans, one that has ended remains as a zombie.
        return process.platform !== 'linux' || !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'latin1'));
      } catch {
        return false;
      }
    };
    // The test times out when it does not end.
    while (isAlive()) await new Promise((resolve) => setImmediate(resolve));
  });
});
