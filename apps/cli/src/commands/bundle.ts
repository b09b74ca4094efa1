/** Models on machines without a network: a bundle is one file with a model and its record. */
import { resolve } from 'node:path';
import { exportModel, isModelName } from '@gptj-cloud/model-store';
import { JSON_OPTION } from '../client/client-options.ts';
import type { Command } from '../command.ts';
import { formatBytes } from '../figures.ts';
import { modelJson } from '../model-json.ts';
import { isOn, UsageError } from '../options.ts';
import { createProgressPrinter } from '../progress.ts';
import { DATA_DIR_OPTION, storeFolder } from '../store-options.ts';
import { runPull } from './pull.ts';

export const exportCommand: Command = {
  name: 'export',
  summary: 'write a model of the data folder to a bundle, for a machine without a network',
  about:
    'Writes a tar archive of the model file and its record. Its SHA-256 is checked on the way, and again by gptj import. The bundle appears under its name when it is complete.',
  arguments: [
    { name: 'NAME', summary: 'name of a model, as gptj list shows it' },
    { name: 'FILE', summary: 'the bundle to write', values: 'file' },
  ],
  groups: [
    {
      title: 'options',
      options: [{ name: 'overwrite', value: null, summary: 'replace FILE if it exists' }, DATA_DIR_OPTION, JSON_OPTION],
    },
  ],
  examples: [
    { line: 'gptj export gpt-j-6b gpt-j-6b.tar', caption: 'then, on the other machine: gptj import gpt-j-6b.tar' },
  ],

  async run({ stdout, stderr, env, signal, now }, options) {
    const [name, target] = options.positionals;
    const progress = createProgressPrinter(stderr, now);
    try {
      const model = await exportModel({
        models: storeFolder(options, env),
        name: name!,
        target: resolve(target!),
        overwrite: isOn(options, 'overwrite'),
        onProgress: (doneBytes, totalBytes) => progress.update(doneBytes, totalBytes, name!),
        signal,
      });
      progress.clear();
      if (isOn(options, 'json')) stdout.write(`${JSON.stringify({ file: target, model: modelJson(model) })}\n`);
      else stdout.write(`wrote ${target}: ${model.name} ${model.type}, ${formatBytes(model.sizeBytes)}\n`);
    } finally {
      progress.clear();
    }
  },
};

export const importCommand: Command = {
  name: 'import',
  summary: 'take a model from a bundle into the data folder',
  about: 'Reads a bundle that gptj export has written, checks its SHA-256, and keeps the model in DATA_DIR/models.',
  arguments: [{ name: 'FILE', summary: 'the bundle', values: 'file' }],
  groups: [
    {
      title: 'options',
      options: [
        { name: 'name', value: 'NAME', summary: 'name in the data folder', default: 'that of the bundle' },
        DATA_DIR_OPTION,
        JSON_OPTION,
      ],
    },
  ],
  examples: [{ line: 'gptj import gpt-j-6b.tar', caption: 'then: gptj serve --model gpt-j-6b' }],

  async run(context, options) {
    const [file] = options.positionals;
    const name = options.values.get('name') ?? null;
    if (name !== null && !isModelName(name)) throw new UsageError(`--name: expected the name of a model, got ${name}`);
    await runPull(context, options, { from: resolve(file!), name, command: `gptj import ${file}` });
  },
};
