/** The adapters (LoRA) in the data folder. */
import { openGgufWeights } from '@gptj-cloud/checkpoint';
import { readMachineMemory } from '@gptj-cloud/engine';
import {
  type AdapterRecord,
  adaptersFolder,
  addAdapter,
  listAdapters,
  removeAdapter,
  type StoredAdapter,
} from '@gptj-cloud/model-store';
import { tryLockFolder } from '@gptj-cloud/server';
import { writeJson } from '../client/api-json.ts';
import { JSON_OPTION } from '../client/client-options.ts';
import type { Command, CommandGroup } from '../command.ts';
import { findLocalModel } from '../default-model.ts';
import { formatBytes } from '../figures.ts';
import { isOn } from '../options.ts';
import { widthOf } from '../output.ts';
import { DATA_DIR_OPTION, dataFolder } from '../store-options.ts';
import { renderPairs, renderTable } from '../table.ts';

const OPTIONS = { title: 'options', options: [DATA_DIR_OPTION, JSON_OPTION] } as const;

const addCommand: Command = {
  name: 'add',
  summary: 'store an adapter that PEFT trained',
  about:
    'Checks the folder of a LoRA adapter, adapter_config.json and adapter_model.safetensors or .bin, against a model, and stores it in DATA_DIR/adapters.',
  arguments: [{ name: 'FOLDER', summary: 'folder that save_pretrained of PEFT wrote', values: 'folder' }],
  notes: [
    'Requests choose adapters by name: "lora": [{"name": "NAME", "scale": 1}].',
    'A server loads the adapters that fit its model when it starts.',
    'The same folder added again replaces its adapter.',
  ],
  groups: [
    {
      title: 'options',
      options: [
        { name: 'name', value: 'NAME', summary: 'name by which requests choose it', default: 'the name of the folder' },
        {
          name: 'model',
          short: 'm',
          value: 'NAME|FILE',
          summary: 'model that it was trained for',
          default: 'GPTJ_MODEL, else the embedded one',
        },
        DATA_DIR_OPTION,
        JSON_OPTION,
      ],
    },
  ],
  examples: [
    { line: 'gptj adapter add ./out --name stories', caption: 'then: "lora": [{"name": "stories"}]' },
    { line: 'gptj adapter add ./out --model gpt-j-6b', caption: 'for a pulled model' },
  ],

  async run({ stdout, env, signal }, options) {
    const [source = ''] = options.positionals;
    const weights = await openGgufWeights(await findLocalModel(options.values.get('model'), env));
    await weights.close();
    const stored = await addAdapter({
      folder: adaptersFolder(dataFolder(options, env)),
      source,
      name: options.values.get('name') ?? null,
      config: weights.config,
      ...(env.ENGINE_MEMORY_CHECK?.trim() === 'off' ? {} : { freeBytes: readMachineMemory().freeBytes }),
      tryLock: tryLockFolder,
      signal,
    });
    if (isOn(options, 'json')) writeJson(stdout, adapterJson(stored));
    else stdout.write(renderStored(stored, weights.modelName, widthOf(stdout)));
  },
};

function renderStored(stored: StoredAdapter, model: string, width: number): string {
  const { name, path, sizeBytes, rank, targets, baseModel } = stored;
  const pairs = renderPairs(
    [
      ['name', name],
      ['model', model],
      ['trained on', baseModel ?? 'not said'],
      ['rank', String(rank)],
      ['matrices', targets.join(', ')],
      ['file', path],
      ['size', formatBytes(sizeBytes)],
    ],
    Math.max(width, path.length + 14),
  );
  return `${pairs}\nA running server serves it within seconds, another one from its start: "lora": [{"name": ${JSON.stringify(name)}}]\n`;
}

const listCommand: Command = {
  name: 'list',
  summary: 'list the adapters in the data folder',
  about: 'Shows the adapters that gptj adapter add has stored in DATA_DIR/adapters.',
  arguments: [],
  groups: [OPTIONS],
  examples: [{ line: 'gptj adapter list', caption: 'the adapters of ./data' }],

  async run({ stdout, env }, options) {
    const folder = adaptersFolder(dataFolder(options, env));
    const adapters = await listAdapters(folder);
    if (isOn(options, 'json')) {
      for (const adapter of adapters) stdout.write(`${JSON.stringify(adapterJson(adapter))}\n`);
      return;
    }
    if (adapters.length === 0) {
      stdout.write(`${folder} has no adapters; gptj adapter add FOLDER stores one\n`);
      return;
    }
    const columns = [
      { title: 'name', isWhole: true },
      { title: 'rank', align: 'right' as const },
      { title: 'matrices' },
      { title: 'size', align: 'right' as const },
      { title: 'fits' },
      { title: 'trained on' },
    ];
    stdout.write(renderTable(columns, adapters.map(rowOf), widthOf(stdout)));
  },
};

function rowOf({ name, rank, targets, sizeBytes, fits, baseModel }: AdapterRecord): readonly string[] {
  return [name, String(rank), targets.join(', '), formatBytes(sizeBytes), fits, baseModel ?? ''];
}

const removeCommand: Command = {
  name: 'rm',
  summary: 'delete an adapter from the data folder',
  about: 'Deletes the adapter of this name. A server that has loaded it serves it until it stops.',
  arguments: [{ name: 'NAME', summary: 'name of an adapter, as gptj adapter list shows it' }],
  groups: [OPTIONS],
  examples: [{ line: 'gptj adapter rm stories', caption: 'by its name' }],

  async run({ stdout, env, signal }, options) {
    const [name = ''] = options.positionals;
    const removed = await removeAdapter(adaptersFolder(dataFolder(options, env)), name, tryLockFolder, signal);
    if (isOn(options, 'json')) writeJson(stdout, { removed: removed.name, freed_bytes: removed.sizeBytes });
    else stdout.write(`deleted ${removed.name} (${formatBytes(removed.sizeBytes)})\n`);
  },
};

function adapterJson({ path, sizeBytes, sha256, baseModel, storedAt, ...rest }: StoredAdapter): unknown {
  const { name, rank, targets, fits, source } = rest;
  return {
    name,
    path,
    size_bytes: sizeBytes,
    sha256,
    rank,
    targets,
    fits,
    base_model: baseModel,
    source,
    stored_at: storedAt,
  };
}

export const adapterCommands: CommandGroup = {
  name: 'adapter',
  summary: 'LoRA adapters of the data folder: add, list, rm',
  about: 'LoRA adapters in the data folder of a server on this machine.',
  commands: [addCommand, listCommand, removeCommand],
};
