import {
  CheckpointError,
  type ConvertOptions,
  type ConvertSummary,
  convertCheckpoint,
  GGML_ERAS,
  inspectModel,
  type OpenOptions,
  RECIPES,
  type Recipe,
  readImportance,
} from '@gptj-cloud/checkpoint';
import { openQuantiser } from '@gptj-cloud/engine';
import { writeJson } from '../client/api-json.ts';
import { JSON_OPTION } from '../client/client-options.ts';
import type { Command } from '../command.ts';
import { embeddedModel } from '../default-model.ts';
import { formatBytes, formatCount, formatDuration } from '../figures.ts';
import { isOn, type ParsedOptions, UsageError } from '../options.ts';
import { widthOf } from '../output.ts';
import { printable } from '../printable.ts';
import { probeText } from '../probe-text.ts';
import { createProgressPrinter } from '../progress.ts';
import { refuseOwnSource } from '../refuse-own-source.ts';
import { renderPairs, renderTable } from '../table.ts';

/** Types that need no quantiser of llama.cpp. */
const FLOAT_RECIPES: ReadonlySet<Recipe> = new Set(['f32', 'f16', 'bf16']);

export const convertCommand: Command = {
  name: 'convert',
  summary: 'convert a downloaded checkpoint to a model file',
  about:
    'Reads a GPT-J in Hugging Face form (a folder with config.json, the tokenizer and weights as safetensors or PyTorch), a checkpoint of mesh-transformer-jax (folder, .tar or .tar.zst), a ggml file from before GGUF or a file written by this command, and writes one GGUF file for gptj and llama.cpp. OUT is renamed into place when it is complete; a cancelled conversion leaves no file.',
  arguments: [
    { name: 'SOURCE', summary: 'folder, archive or file of a downloaded checkpoint', values: 'file' },
    { name: 'OUT', summary: 'the GGUF file to write', values: 'file' },
  ],
  groups: [
    {
      title: 'options',
      options: [
        {
          name: 'type',
          value: 'TYPE',
          summary: 'storage type of the weights; fewer bits are smaller and faster but less precise',
          choices: RECIPES,
          default: 'q8_0',
        },
        {
          name: 'imatrix',
          value: 'FILE',
          summary: 'importance matrix by gptj imatrix or llama-imatrix: less loss with q4_0, q4_K_M, q5_K_M and q6_K',
          default: 'none',
        },
        { name: 'overwrite', value: null, summary: 'replace OUT if it exists' },
        {
          name: 'tokenizer',
          value: 'PATH',
          summary: 'folder of a tokenizer.json, or a GGUF file, for a SOURCE without tokenizer',
          default: 'the files beside SOURCE, else the tokenizer of GPT-J',
        },
        {
          name: 'ggml-era',
          value: 'N',
          summary: 'version of the blocks of a ggml file from before GGUF',
          choices: GGML_ERAS.map(String),
          default: 'the one that the file states',
        },
        JSON_OPTION,
      ],
    },
  ],
  examples: [
    { line: 'gptj convert ./gpt-j-6b gpt-j-6b.gguf --type q8_0', caption: 'half the size of float16, negligible loss' },
    { line: 'gptj convert gpt-j-6b-f16.gguf small.gguf --type q4_K_M', caption: 'requantise an existing model file' },
  ],

  async run({ stdout, stderr, signal, now }, options) {
    const [source, target] = options.positionals;
    const type = recipeOf(options.values.get('type') ?? 'q8_0');
    await refuseOwnSource(source!, target!);
    const progress = createProgressPrinter(stderr, now);
    try {
      const summary = await convertCheckpoint({
        source: source!,
        open: openOptionsOf(options),
        target: target!,
        type,
        ...(FLOAT_RECIPES.has(type) ? {} : { quantiser: openQuantiser() }),
        ...(await importanceOf(options, type)),
        onProgress: ({ doneBytes, totalBytes, tensor }) => progress.update(doneBytes, totalBytes, tensor),
        signal,
        overwrite: isOn(options, 'overwrite'),
      });
      progress.clear();
      const warnings = [...summary.warnings, ...(await eraWarning(target!, summary))];
      for (const warning of warnings) stderr.write(`warning: ${printable(warning)}\n`);
      if (isOn(options, 'json')) {
        writeJson(stdout, { file: target, type, ...summary, warnings });
        return;
      }
      const { tensors } = await inspectModel(target!);
      stdout.write(renderSummary(target!, type, summary, { ofModel: tensors.length, width: widthOf(stdout) }));
    } catch (error) {
      if (!(error instanceof CheckpointError && error.code === 'target_exists')) throw error;
      throw new Error(`${target} already exists; --overwrite replaces it`, { cause: error });
    } finally {
      progress.clear();
    }
  },
};

async function importanceOf({ values }: ParsedOptions, type: Recipe): Promise<Pick<ConvertOptions, 'importance'>> {
  const path = values.get('imatrix');
  if (path === undefined) return {};
  if (FLOAT_RECIPES.has(type) || type === 'q8_0') {
    throw new UsageError(`--imatrix: type ${type} does not use an importance matrix; q6_K, q5_K_M, q4_K_M and q4_0 do`);
  }
  return { importance: await readImportance(path) };
}

function openOptionsOf({ values }: ParsedOptions): OpenOptions {
  const tokenizer = values.get('tokenizer');
  const defaultTokenizer = embeddedModel();
  const era = GGML_ERAS.find((candidate) => String(candidate) === values.get('ggml-era'));
  return {
    ...(tokenizer === undefined ? {} : { tokenizer }),
    ...(defaultTokenizer === null ? {} : { defaultTokenizer }),
    ...(era === undefined ? {} : { ggmlEra: era }),
  };
}

/** A file of ggml read in the wrong era has plausible weights at wrong places: only its texts show it. */
async function eraWarning(path: string, { source, isSourceQuantised }: ConvertSummary): Promise<readonly string[]> {
  if (source.format !== 'ggml' || !isSourceQuantised) return [];
  const { perplexity, isNoise, error } = await probeText(path);
  if (error !== null) return [`the result was not tried with a text: ${error}`];
  if (!isNoise) return [];
  const figure = formatCount(Math.round(perplexity));
  return [
    `the perplexity of a plain English sentence is ${figure}, as of noise: the file may be of another era than v${source.form?.[5]}; convert it again with another --ggml-era`,
  ];
}

/** Narrows the type; the option's choices have checked the value. */
function recipeOf(text: string): Recipe {
  const recipe = RECIPES.find((candidate) => candidate === text);
  if (recipe === undefined) throw new UsageError(`--type: expected one of ${RECIPES.join(', ')}, got ${text}`);
  return recipe;
}

function renderSummary(
  target: string,
  type: Recipe,
  summary: ConvertSummary,
  { ofModel, width }: { readonly ofModel: number; readonly width: number },
): string {
  const { writtenBytes, durationMs } = summary;
  const types = Object.entries(summary.types).sort(([, a], [, b]) => b - a);
  const pairs = renderPairs(
    [
      ['file', target],
      ['type', type],
      ['size', formatBytes(writtenBytes)],
      ['took', `${formatDuration(durationMs)}, ${formatBytes((writtenBytes / Math.max(1, durationMs)) * 1000)}/s`],
    ],
    width,
  );
  const table = renderTable(
    [{ title: 'stored as' }, { title: 'tensors', align: 'right' }],
    [...types.map(([name, count]) => [name, formatCount(count)]), ['all', formatCount(summary.tensors)]],
    width,
  );
  const added = summary.tensors - ofModel;
  const note = `\n${formatCount(added)} of them are constants that llama.cpp's layout needs and GPT-J has not; gptj inspect leaves them out\n`;
  return `${pairs}\n${table}${added > 0 ? note : ''}${fallbackNotes(summary)}${halfNote(type, summary)}`;
}

/** Whether the numbers of a float32 checkpoint were float16 before. */
function halfNote(type: Recipe, { isHalfExact }: ConvertSummary): string {
  if (isHalfExact !== true) return '';
  return type === 'f32'
    ? '\nfloat16 has every number of the matrices: --type f16 loses nothing and takes half the space\n'
    : '\nfloat16 has every number of the float32 matrices that were read\n';
}

/** One sentence for each kind of matrix that got a fallback type. */
function fallbackNotes({ fallbacks }: ConvertSummary): string {
  const kinds = new Map<string, number>();
  for (const { wanted, used, rowLength } of fallbacks) {
    const kind = `${used} instead of ${wanted}: rows of ${rowLength} weights do not divide into its blocks`;
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  }
  return [...kinds].map(([kind, count]) => `\n${formatCount(count)} matrices are stored as ${kind}\n`).join('');
}
