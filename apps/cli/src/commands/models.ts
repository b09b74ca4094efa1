/** The models in the data folder. */
import { listModels, removeStoredModel, type StoredModel } from '@gptj-cloud/model-store';
import { tryLockFolder } from '@gptj-cloud/server';
import { writeJson } from '../client/api-json.ts';
import { JSON_OPTION } from '../client/client-options.ts';
import type { Command } from '../command.ts';
import { formatBytes } from '../figures.ts';
import { modelJson } from '../model-json.ts';
import { isOn } from '../options.ts';
import { widthOf } from '../output.ts';
import { DATA_DIR_OPTION, storeFolder } from '../store-options.ts';
import { renderTable } from '../table.ts';

const OPTIONS = { title: 'options', options: [DATA_DIR_OPTION, JSON_OPTION] } as const;

export const listCommand: Command = {
  name: 'list',
  summary: 'list the models in the data folder',
  about: 'Shows the models that gptj pull has stored in DATA_DIR/models: type, size, source and SHA-256 of each.',
  arguments: [],
  notes: ['Where a model has several types, its name means the one that was stored last; NAME.TYPE means one of them.'],
  groups: [OPTIONS],
  examples: [{ line: 'gptj list', caption: 'the models of ./data' }],

  async run({ stdout, env }, options) {
    const folder = storeFolder(options, env);
    const models = await listModels(folder);
    if (isOn(options, 'json')) {
      for (const model of models) stdout.write(`${JSON.stringify(modelJson(model))}\n`);
      return;
    }
    if (models.length === 0) {
      stdout.write(`${folder} has no models; gptj pull gpt-j-6b downloads one\n`);
      return;
    }
    const columns = [
      { title: 'name', isWhole: true },
      { title: 'type', isWhole: true },
      { title: 'size', align: 'right' as const },
      { title: 'source' },
      { title: 'revision' },
      { title: 'sha256' },
    ];
    stdout.write(renderTable(columns, models.map(rowOf), widthOf(stdout)));
  },
};

/** Twelve digits of a hash, as git shows them; --json has all. */
function rowOf({ name, type, sizeBytes, source, sha256 }: StoredModel): readonly string[] {
  const { from, revision, commit } = source;
  const pinned = commit === null ? '' : ` (${commit.slice(0, 12)})`;
  return [name, type, formatBytes(sizeBytes), from, `${revision ?? ''}${pinned}`.trim(), sha256.slice(0, 12)];
}

export const removeCommand: Command = {
  name: 'rm',
  summary: 'delete a model from the data folder',
  about:
    'Deletes the model of this name, in all its types, or one of them: NAME.TYPE. One that a running server of the data folder uses is refused, ' +
    'with what to do first.',
  arguments: [{ name: 'NAME', summary: 'name of a model, as gptj list shows it' }],
  groups: [OPTIONS],
  examples: [{ line: 'gptj rm gpt-j-6b.q4_0', caption: 'one type' }],

  async run({ stdout, env, signal }, options) {
    const [name] = options.positionals;
    const removed = await removeStoredModel(storeFolder(options, env), name!, tryLockFolder, signal);
    const freedBytes = removed.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    if (isOn(options, 'json'))
      writeJson(stdout, { removed: removed.map((model) => `${model.name}.${model.type}`), freedBytes });
    else
      stdout.write(
        `deleted ${removed.map((model) => `${model.name}.${model.type}`).join(', ')} (${formatBytes(freedBytes)})\n`,
      );
  },
};
