import { inspectModel, type ModelReport } from '@gptj-cloud/checkpoint';
import type { Command } from '../command.ts';
import { embeddedModel } from '../default-model.ts';
import { formatBytes, formatCount, formatParameters, threeDigits } from '../figures.ts';
import { bold, type Output, widthOf } from '../output.ts';
import { printable } from '../printable.ts';
import { renderPairs, renderTable } from '../table.ts';

export const inspectCommand: Command = {
  name: 'inspect',
  summary: 'describe a model file',
  about:
    'Reads the headers of a model file, or of a checkpoint in any form that `gptj convert` reads, and shows its shape and the storage of its weights. Weights are not read and no code in the file is executed.',
  arguments: [{ name: 'PATH', summary: 'a model file, or the folder of a checkpoint', values: 'file' }],
  groups: [
    {
      title: 'options',
      options: [
        { name: 'tensors', value: null, summary: 'list every tensor' },
        { name: 'metadata', value: null, summary: 'list the metadata of a GGUF file' },
        { name: 'json', value: null, summary: 'print JSON instead of tables' },
      ],
    },
  ],
  examples: [
    { line: 'gptj inspect gpt-j-6b.gguf', caption: 'describe a file' },
    { line: 'gptj inspect ./gpt-j-6b --tensors', caption: 'every tensor of a downloaded folder' },
  ],

  async run({ stdout }, options) {
    const [path] = options.positionals;
    const defaultTokenizer = embeddedModel();
    const report = await inspectModel(path!, defaultTokenizer === null ? {} : { defaultTokenizer });
    const withTensors = options.values.get('tensors') === 'true';
    if (options.values.get('json') === 'true') {
      const { tensors, ...rest } = report;
      stdout.write(`${JSON.stringify(withTensors ? report : { ...rest, tensorCount: tensors.length }, null, 2)}\n`);
    } else {
      stdout.write(
        renderReport(report, { tensors: withTensors, metadata: options.values.get('metadata') === 'true' }, stdout),
      );
    }
    await stdout.drained();
  },
};

interface Sections {
  readonly tensors: boolean;
  readonly metadata: boolean;
}

function renderReport(report: ModelReport, { tensors, metadata }: Sections, output: Output): string {
  const width = widthOf(output);
  const section = (title: string, body: string): string => (body === '' ? '' : `\n${bold(output, title)}\n${body}`);
  return [
    renderPairs(overview(report), width),
    section('shape', renderPairs(shape(report), width)),
    section('storage', storageTable(report, width)),
    metadata ? section('metadata', renderPairs(Object.entries(report.metadata), width)) : '',
    tensors ? section('tensors', tensorTable(report, width)) : '',
    ...report.warnings.map((warning) => `\nwarning: ${printable(warning)}\n`),
  ].join('');
}

function overview(report: ModelReport): readonly (readonly [string, string])[] {
  const { tokenizer } = report;
  const bits = report.parameters > 0 ? ` (${threeDigits((report.sizeBytes * 8) / report.parameters)} bits each)` : '';
  return [
    ['model', report.modelName],
    ['path', report.path],
    ['format', [report.format, report.form, report.recipe].filter((word) => word !== null).join(', ')],
    ['parameters', `${formatParameters(report.parameters)} (${formatCount(report.parameters)})`],
    ['weights', `${formatBytes(report.sizeBytes)}${bits}`],
    [
      'tokenizer',
      tokenizer === null ? 'none' : `${formatCount(tokenizer.tokens)} tokens, ${formatCount(tokenizer.merges)} merges`,
    ],
  ];
}

function shape({ config }: ModelReport): readonly (readonly [string, string])[] {
  if (config === null) return [];
  return [
    ['layers', formatCount(config.layerCount)],
    ['embedding', formatCount(config.embeddingSize)],
    ['heads', formatCount(config.headCount)],
    ['context', `${formatCount(config.contextLength)} tokens`],
    ['vocabulary', formatCount(config.vocabSize)],
  ];
}

/** Tensors, weights and bytes of each type. */
function storageTable({ tensors }: ModelReport, width: number): string {
  const types = new Map<string, { tensors: number; weights: number; sizeBytes: number | null }>();
  for (const { type, shape: dimensions, sizeBytes } of tensors) {
    const sum = types.get(type) ?? { tensors: 0, weights: 0, sizeBytes: 0 };
    types.set(type, {
      tensors: sum.tensors + 1,
      weights: sum.weights + dimensions.reduce((product, size) => product * size, 1),
      sizeBytes: sum.sizeBytes === null || sizeBytes === null ? null : sum.sizeBytes + sizeBytes,
    });
  }
  const rows = [...types]
    .sort(([, a], [, b]) => b.weights - a.weights)
    .map(([type, sum]) => [type, formatCount(sum.tensors), formatCount(sum.weights), sizeText(sum.sizeBytes)]);
  const right = (title: string): { title: string; align: 'right' } => ({ title, align: 'right' });
  return renderTable([{ title: 'stored as' }, right('tensors'), right('weights'), right('size')], rows, width);
}

function tensorTable({ tensors }: ModelReport, width: number): string {
  return renderTable(
    [{ title: 'name' }, { title: 'shape' }, { title: 'type' }, { title: 'size', align: 'right' }],
    tensors.map(({ name, shape: dimensions, type, sizeBytes }) => [
      name,
      dimensions.join(' × '),
      type,
      sizeText(sizeBytes),
    ]),
    width,
  );
}

function sizeText(sizeBytes: number | null): string {
  return sizeBytes === null ? 'unknown' : formatBytes(sizeBytes);
}
