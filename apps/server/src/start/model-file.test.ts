import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openTokenizer } from '@gptj-cloud/engine';
import { lockDataDir } from '../store/data-dir-lock.ts';
import { createLogger } from '../telemetry/logger.ts';
import { writeTinyFolder } from '../testing/tiny-model.ts';
import { until } from '../testing/until.ts';
import { findDraftFile, findModelFile } from './model-file.ts';
import { createStartDisplay } from './start-display.ts';

let base: string;
let source: string;
before(async () => {
  base = await mkdtemp(join(tmpdir(), 'gptj-model-file-'));
  source = join(base, 'checkpoint');
  await mkdir(source);
  await writeTinyFolder(source);
});
after(() => rm(base, { recursive: true }));

function finder(dataDir: string, signal: AbortSignal | null = null) {
  const messages: string[] = [];
  const logger = createLogger(
    (line) => messages.push(JSON.parse(line).message),
    () => new Date(0),
  );
  const parts = { logger, display: createStartDisplay(logger, null), signal };
  const find = (modelPath: string | null): Promise<string> =>
    findModelFile(
      { modelPath, modelName: modelPath?.includes('/') === false ? modelPath : null, dataDir, modelType: 'f16' },
      parts,
    );
  return { messages, find };
}

test('converts the folder of a checkpoint into the data folder at the first start, and finds it at the second', async () => {
  const dataDir = join(base, 'data');
  const { messages, find } = finder(dataDir);
  const path = await find(source);
  assert.deepEqual(messages, ['converting the checkpoint, once', 'converted']);
  assert.equal((await openTokenizer(path)).encode('ab').length, 1);
  const { mtimeMs } = await stat(path);
  assert.equal(await find(source), path);
  assert.deepEqual([messages.length, (await stat(path)).mtimeMs], [2, mtimeMs]);
  assert.deepEqual(await readdir(join(dataDir, 'models')), [path.slice(join(dataDir, 'models').length + 1)]);
});

const PUBLISHED = fileURLToPath(new URL('../../../../packages/checkpoint/fixtures/published/', import.meta.url));

for (const file of ['ggml/base-f32.bin', 'mesh/slim-f32.tar.zst']) {
  test(`converts the single file ${file} once, as a folder`, async () => {
    const dataDir = await mkdtemp(join(base, 'single-'));
    const single = join(dataDir, basename(file));
    await copyFile(join(PUBLISHED, file), single);
    for (const name of ['config.json', 'tokenizer.json']) {
      const beside = join(PUBLISHED, dirname(file), name);
      if (existsSync(beside)) await copyFile(beside, join(dataDir, name));
    }
    const { messages, find } = finder(dataDir);
    const path = await find(single);
    assert.equal(await find(single), path);
    assert.deepEqual(
      messages.filter((message) => message.startsWith('convert')),
      ['converting the checkpoint, once', 'converted'],
    );
    assert.ok((await openTokenizer(path)).vocabSize > 0);
    assert.deepEqual(await readdir(join(dataDir, 'models')), [basename(path)]);
  });
}

test('waits while another process converts, and stops waiting when the start is stopped', async () => {
  const dataDir = join(base, 'shared');
  const models = join(dataDir, 'models');
  const lock = await lockDataDir(models);
  const stop = new AbortController();
  const { messages, find } = finder(dataDir, stop.signal);
  const found = assert.rejects(find(source), { name: 'AbortError' });
  await until(() => messages.includes('another process converts a checkpoint; waiting for it'));
  stop.abort();
  await found;
  await lock.release();
  assert.deepEqual(await readdir(models), []);
});

test('finds a pulled model by its name, and names the command that pulls a missing one', async () => {
  const dataDir = join(base, 'pulled');
  const models = join(dataDir, 'models');
  await mkdir(models, { recursive: true });
  const source = { kind: 'hub', from: 'a/tiny', revision: 'main', commit: null };
  const record = {
    name: 'tiny',
    type: 'f16',
    file: 'tiny.f16-0.gguf',
    sizeBytes: 1,
    sha256: '0',
    source,
    storedAt: '2026',
  };
  await writeFile(join(models, 'tiny.f16.json'), JSON.stringify(record));
  const { find } = finder(dataDir);
  assert.equal(await find('tiny'), join(models, 'tiny.f16-0.gguf'));
  await assert.rejects(find('other'), { name: 'ConfigError', message: /has tiny\. gptj pull other downloads it/ });
  assert.equal(await findDraftFile({ draftModel: 'tiny', dataDir }), join(models, 'tiny.f16-0.gguf'));
  const missing = { name: 'ConfigError', message: /^GPTJ_DRAFT_MODEL: .* has tiny\. gptj pull other downloads it/ };
  await assert.rejects(findDraftFile({ draftModel: 'other', dataDir }), missing);
});

test('the embedded model has a name, too', async () => {
  const { find } = finder(join(base, 'unused'));
  assert.match(await find('embedded'), /gptj-nano.*\.gguf$/);
});

test('the draft model is a file, or the embedded model by that word', async () => {
  const dataDir = join(base, 'unused');
  assert.equal(await findDraftFile({ draftModel: null, dataDir }), null);
  assert.equal(await findDraftFile({ draftModel: 'small.gguf', dataDir }), resolve('small.gguf'));
  assert.match((await findDraftFile({ draftModel: 'embedded', dataDir })) ?? '', /gptj-nano.*\.gguf$/);
});

test('a file is served as it is, the embedded model without a setting, and a missing file is left to its reader', async () => {
  const { find, messages } = finder(join(base, 'unused'));
  assert.equal(await find(join(base, 'no.gguf')), join(base, 'no.gguf'));
  assert.match(await find(null), /\.gguf$/);
  assert.deepEqual(messages, []);
});
