import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeImportance } from '@gptj-cloud/checkpoint';
import { collectImportance } from '@gptj-cloud/engine';
import { writeJson } from '../client/api-json.ts';
import { JSON_OPTION } from '../client/client-options.ts';
import type { Command } from '../command.ts';
import { findLocalModel } from '../default-model.ts';
import { formatCount, formatDuration } from '../figures.ts';
import { readThreads } from '../local-model.ts';
import { integerOption, isOn } from '../options.ts';
import { createChunkPrinter } from '../quality/chunk-printer.ts';
import { readTextFile } from '../read-text-file.ts';
import { checkNewFile } from '../write-new-file.ts';

/** Another part of the book than that of `gptj quality`. */
const TEXT = fileURLToPath(new URL('../../../../models/texts/calibration.txt', import.meta.url));
const DEFAULT_CONTEXT = 512;

export const imatrixCommand: Command = {
  name: 'imatrix',
  summary: 'measure which columns of the weights matter, for gptj convert --imatrix',
  about:
    'Runs a text through a model and writes how large the inputs of every matrix are, column by column. A conversion that is given the file keeps the errors small where inputs are large. The format is that of llama.cpp: llama-quantize reads it too.',
  arguments: [
    { name: 'MODEL', summary: 'name of a pulled model, or a model file: q8_0 or more precise', values: 'file' },
    { name: 'OUT', summary: 'the file to write', values: 'file' },
  ],
  notes: [
    'Use a text like those that the model will continue, and another text for gptj quality.',
    'llama.cpp computes it on the CPU; of GPT-J-6B, a token takes about a tenth of a second on two cores.',
  ],
  groups: [
    {
      title: 'options',
      options: [
        { name: 'text', value: 'FILE', summary: 'text to evaluate', default: 'a part of Pride and Prejudice' },
        { name: 'context', value: 'N', summary: 'tokens of a chunk', default: String(DEFAULT_CONTEXT) },
        { name: 'chunks', value: 'N', summary: 'chunks to evaluate at most', default: 'all of the text' },
        { name: 'threads', value: 'N', summary: 'number of threads', default: 'at most one per physical core' },
        { name: 'overwrite', value: null, summary: 'replace OUT if it exists' },
        JSON_OPTION,
      ],
    },
  ],
  examples: [
    {
      line: 'gptj imatrix gpt-j-6b.f16 gpt-j-6b.imatrix.gguf',
      caption: 'then: gptj convert ./gpt-j-6b small.gguf --type q4_K_M --imatrix gpt-j-6b.imatrix.gguf',
    },
  ],

  async run(context, options) {
    const { stdout, env, signal, now } = context;
    const [model, out] = options.positionals;
    const overwrite = isOn(options, 'overwrite');
    // Checked first: the measurement may take an hour.
    checkNewFile(out!, { overwrite }, '');
    const startedMs = now();
    const source = options.values.get('text') ?? TEXT;
    const threads = readThreads(options);
    const importance = await collectImportance({
      path: await findLocalModel(model, env),
      text: await readTextFile(source),
      context: integerOption(options, 'context', { min: 8, max: 2048 }) ?? DEFAULT_CONTEXT,
      maxChunks: integerOption(options, 'chunks', { min: 1, max: Number.MAX_SAFE_INTEGER }),
      ...(threads === null ? {} : { threads }),
      onChunk: createChunkPrinter(context, model!),
      signal,
    });
    await writeImportance(out!, importance, { dataset: basename(source), overwrite });
    const { chunkCount, chunkSize, entries } = importance;
    if (isOn(options, 'json'))
      writeJson(stdout, { file: out, matrices: entries.size, chunkCount, chunkSize, text: source });
    else {
      stdout.write(
        `${out}: ${formatCount(entries.size)} matrices, from ${formatCount(chunkCount)} chunks of ${chunkSize} tokens, in ${formatDuration(now() - startedMs)}\n`,
      );
    }
  },
};
