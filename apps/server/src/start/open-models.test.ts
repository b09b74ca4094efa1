import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Engine, SpawnEngineOptions } from '@gptj-cloud/engine';
import { ModelError } from '@gptj-cloud/model';
import { parseConfig } from '../config/parse-config.ts';
import { embeddedModelPath } from '../embedded-model.ts';
import { createLogger } from '../telemetry/logger.ts';
import { currentMeter, measureWork } from '../telemetry/work-meter.ts';
import { createFakeEngine } from '../testing/fake-model.ts';
import { openModels, type ServedModel } from './open-models.ts';
import { createStartDisplay } from './start-display.ts';

let dataDir: string;
let file: string;
before(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'gptj-open-models-'));
  file = await embeddedModelPath();
});
after(() => rm(dataDir, { recursive: true }));

interface Opened {
  readonly served: Promise<ServedModel>;
  readonly spawned: SpawnEngineOptions[];
  readonly printed: string[];
}

/** Open what the settings name, with engines that are no processes. */
function open(settings: Readonly<Record<string, string>>, fail: (path: string) => Error | null = () => null): Opened {
  const spawned: SpawnEngineOptions[] = [];
  const printed: string[] = [];
  const logger = createLogger(
    () => {},
    () => new Date(0),
  );
  const spawn = async (options: SpawnEngineOptions): Promise<Engine> => {
    spawned.push(options);
    const error = fail(options.path);
    if (error !== null) throw error;
    return createFakeEngine();
  };
  const config = parseConfig({ DATA_DIR: dataDir, ...settings });
  const print = (line: string): void => void printed.push(line);
  const start = { logger, print, display: createStartDisplay(logger, null), signal: null };
  return { served: openModels(config, start, spawn), spawned, printed };
}

test('one model is opened as it is, outside the host and without a limit of its cache', async () => {
  const { served, spawned } = open({});
  const { others, hosted } = await served;
  assert.deepEqual([others, hosted], [undefined, undefined]);
  assert.deepEqual([spawned.length, spawned[0]?.cacheCells, spawned[0]?.checksMemory], [1, undefined, true]);
});

test('of several models the first is loaded, and every one has its own name', async () => {
  const { served, spawned, printed } = open({ GPTJ_MODELS: `embedded,again=${file}`, MODEL_MEMORY_MB: '2000' });
  const { engine, others = [], tokenizer, host } = await served;
  const names = [engine, ...others.map((each) => each.engine)].map(({ info }) => info.modelName);
  assert.deepEqual(names, ['gptj-nano', 'again']);
  assert.deepEqual([spawned.length, spawned[0]?.path], [1, file]);
  assert.match(printed.join(), /gptj-nano 0\.\d GB, again 0\.\d GB; loaded models take at most 2\.0 GB together/);
  // Both have the vocabulary of GPT-J.
  assert.equal(others[0]?.tokenizer, tokenizer);
  for await (const _ of others[0]!.engine.generate({
    prompt: [1],
    config: { maxLength: 2, numReturnSequences: 1 } as never,
  }));
  assert.deepEqual([spawned.length, others[0]?.engine.info.modelName], [2, 'again']);
  // What was planned is what is opened.
  assert.ok((spawned[1]?.cacheCells ?? 0) > 0);
  await host?.close();
});

test('two models of one name are refused, with what gives one another name', async () => {
  const { served, spawned } = open({ GPTJ_MODELS: `embedded,${file}` });
  await assert.rejects(served, { name: 'ConfigError', message: /two with the name gptj-nano; write NAME=\// });
  assert.deepEqual(spawned, []);
});

test('a start fails when the first model cannot be loaded, and not when another cannot', async () => {
  const message = 'the weights are damaged';
  const broken = open({ GPTJ_MODELS: `embedded,again=${file}` }, () => new ModelError('model_file_invalid', message));
  await assert.rejects(broken.served, { name: 'ModelError', code: 'model_file_invalid', message });
});

test('a file that is no model is refused at the start', async () => {
  const { served } = open({ GPTJ_MODELS: `embedded,other=${join(dataDir, 'none.gguf')}` });
  await assert.rejects(served, /none\.gguf/);
});

test('the engine of a model works for the server, not for the request that was the first to ask for it', async () => {
  const payers: (string | undefined)[] = [];
  const { served } = open({ GPTJ_MODELS: `embedded,again=${file}`, MODEL_MEMORY_MB: '2000' }, () => {
    payers.push(currentMeter()?.payer);
    return null;
  });
  const { others = [], host } = await served;
  const meter = { payer: 'a client', share: 1, add() {} };
  const lease = await measureWork(meter, () => others[0]?.hosted?.lease());
  lease?.release();
  assert.deepEqual(payers, ['server:models', 'server:models']);
  await host?.close();
});
