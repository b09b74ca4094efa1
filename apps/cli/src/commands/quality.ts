import { stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { ENGINE_KINDS } from '@gptj-cloud/engine';
import { writeJson } from '../client/api-json.ts';
import { JSON_OPTION } from '../client/client-options.ts';
import type { Command, CommandContext } from '../command.ts';
import { findLocalModel } from '../default-model.ts';
import { formatDuration } from '../figures.ts';
import { readThreads } from '../local-model.ts';
import { integerOption, isOn, type ParsedOptions, UsageError } from '../options.ts';
import { widthOf } from '../output.ts';
import { createChunkPrinter } from '../quality/chunk-printer.ts';
import { compareModels } from '../quality/compare-models.ts';
import { drawQuality } from '../quality/quality-plot.ts';
import { type QualityReport, renderQuality, summarise } from '../quality/quality-report.ts';
import { readTextFile } from '../read-text-file.ts';
import { checkNewFile, writeNewFile } from '../write-new-file.ts';

/** Not in the texts that the embedded model was trained on. */
const TEXT = fileURLToPath(new URL('../../../../models/texts/quality.txt', import.meta.url));
const DEFAULT_CONTEXT = 512;
const DEFAULT_PLOT = 'quality.svg';

export const qualityCommand: Command = {
  name: 'quality',
  summary: 'measure what a type of a model loses against another',
  about:
    'Evaluates a text with a reference and with one or more other files of the same model, for instance of other types, and shows perplexity, KL divergence and how often both find the same token the most likely, each with a 95 % confidence interval. Also draws a plot.',
  arguments: [
    { name: 'REFERENCE', summary: 'name of a pulled model, or a model file: the most precise one', values: 'file' },
    { name: 'MODEL', summary: 'the same of a model to compare', repeated: true, values: 'file' },
  ],
  notes: [
    'As in llama-perplexity of llama.cpp, the text is cut into chunks, of which the second half is scored.',
    'Intervals are percentile bootstraps over chunks, as the tokens of a chunk depend on one another: give 20 chunks or more.',
    'The reference is evaluated again for every other model, so that only two models are in memory.',
    'Each model is computed by the engine that gptj serve would choose: the figures include what that engine rounds.',
  ],
  groups: [
    {
      title: 'options',
      options: [
        { name: 'text', value: 'FILE', summary: 'text to evaluate', default: 'the beginning of Pride and Prejudice' },
        {
          name: 'context',
          value: 'N',
          summary: 'tokens of a chunk, an even number',
          default: String(DEFAULT_CONTEXT),
        },
        { name: 'chunks', value: 'N', summary: 'chunks to evaluate at most', default: 'all of the text' },
        { name: 'plot', value: 'FILE', summary: 'SVG file to draw', default: `${DEFAULT_PLOT}; with --json none` },
        { name: 'overwrite', value: null, summary: 'replace the SVG file if it exists' },
        {
          name: 'engine',
          value: 'NAME',
          summary: 'the engine that computes all models',
          choices: ENGINE_KINDS,
          default: 'the fastest that can run the model',
        },
        { name: 'threads', value: 'N', summary: 'number of threads', default: 'at most one per physical core' },
        JSON_OPTION,
      ],
    },
  ],
  examples: [
    {
      line: 'gptj quality gpt-j-6b.f16 gpt-j-6b.q8_0 gpt-j-6b.q4_K_M',
      caption: 'what two types lose, of models that gptj pull has stored',
    },
    { line: 'gptj quality f16.gguf q4_0.gguf --text mine.txt --chunks 20', caption: 'with a text of your own' },
  ],

  async run(context, options) {
    const { stdout, stderr, now } = context;
    const startedMs = now();
    const plot = plotOf(options);
    const report = await measure(context, options);
    if (plot !== null) await writeNewFile(plot, drawQuality(report), { overwrite: isOn(options, 'overwrite') });
    if (isOn(options, 'json')) {
      const models = report.models.map(({ sortedDivergences: _, ...model }) => model);
      writeJson(stdout, { ...report, models, plot });
      return;
    }
    stdout.write(renderQuality(report, widthOf(stdout)));
    stderr.write(`took ${formatDuration(now() - startedMs)}${plot === null ? '' : `; plot in ${plot}`}\n`);
  },
};

/** The file of the plot, which must not exist; null: none. Checked first, as the measurement may take hours. */
function plotOf(options: ParsedOptions): string | null {
  const given = options.values.get('plot');
  if (given === undefined && isOn(options, 'json')) return null;
  const plot = given ?? DEFAULT_PLOT;
  checkNewFile(plot, { overwrite: isOn(options, 'overwrite') }, ', --plot names another file');
  return plot;
}

async function measure(context: CommandContext, options: ParsedOptions): Promise<QualityReport> {
  const { env } = context;
  const [reference, ...others] = options.positionals;
  const referencePath = await findLocalModel(reference!, env);
  const source = options.values.get('text') ?? TEXT;
  const shared = {
    referencePath,
    text: await readTextFile(source),
    context: contextOf(options),
    maxChunks: integerOption(options, 'chunks', { min: 1, max: Number.MAX_SAFE_INTEGER }),
    kind: ENGINE_KINDS.find((kind) => kind === options.values.get('engine')) ?? null,
    threads: readThreads(options),
    checksMemory: env.ENGINE_MEMORY_CHECK?.trim() !== 'off',
    signal: context.signal,
  };
  const comparisons = [];
  for (const [i, other] of others.entries()) {
    const path = await findLocalModel(other, env);
    const onChunk = createChunkPrinter(context, `${other} (${i + 1} of ${others.length})`);
    const comparison = await compareModels({ ...shared, path, onChunk });
    const [size, referenceSize] = [await stat(path), await stat(referencePath)];
    comparisons.push({ ...comparison, sizeBytes: size.size, referenceBytes: referenceSize.size });
  }
  return summarise(comparisons, { source, context: shared.context });
}

function contextOf(options: ParsedOptions): number {
  const context = integerOption(options, 'context', { min: 8, max: 2048 }) ?? DEFAULT_CONTEXT;
  if (context % 2 === 0) return context;
  throw new UsageError(`--context: expected an even number, got ${context}`);
}
