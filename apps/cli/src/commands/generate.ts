import { openCheckpoint } from '@gptj-cloud/checkpoint';
import {
  type ParameterContext,
  ParameterError,
  type ParsedParameters,
  parseGenerateParameters,
  readSplitSpecialTokens,
} from '@gptj-cloud/decoding';
import { type EngineKind, openTokenizer, spawnEngine } from '@gptj-cloud/engine';
import type { GptjConfig, TokenId } from '@gptj-cloud/model';
import type { Command } from '../command.ts';
import { chooseModel } from '../default-model.ts';
import { GENERATE_PARAMETERS, REFUSED_PARAMETERS } from '../generate-parameters.ts';
import { generationJson, summaryLine } from '../generation-report.ts';
import { integerOption, UsageError } from '../options.ts';
import { dim } from '../output.ts';
import { printable } from '../printable.ts';
import { PROMPT_ARGUMENT, PROMPT_OPTIONS, readPrompt } from '../read-prompt.ts';
import { type GenerationResult, streamGeneration } from '../stream-generation.ts';
import { createTextPrinter } from '../text-printer.ts';

export const generateCommand: Command = {
  name: 'generate',
  summary: 'continue a text in this process, without a server',
  about:
    'Loads a model, continues a text and prints the continuation while it is generated. Every parameter of transformers’ generate is an option; values that parse as JSON are JSON.',
  arguments: [PROMPT_ARGUMENT],
  notes: [
    'Figures and warnings go to standard error, so that the text can be piped.',
    'gptj run continues a text on a server, whose model is loaded already.',
  ],
  groups: [
    {
      title: 'options',
      options: [
        ...PROMPT_OPTIONS,
        {
          name: 'model',
          short: 'm',
          value: 'FILE',
          summary: 'model file',
          default: 'GPTJ_MODEL, else the embedded one',
        },
        {
          name: 'engine',
          value: 'NAME',
          summary: 'the engine that computes the model',
          choices: ['llama', 'reference'],
          default: 'llama',
        },
        { name: 'threads', value: 'N', summary: 'number of threads', default: 'one per physical core' },
        { name: 'json', value: null, summary: 'print one JSON object at the end instead of text' },
        { name: 'echo', value: null, summary: 'show the prompt before its continuation', default: 'on a terminal' },
      ],
    },
    ...GENERATE_PARAMETERS.groups,
  ],
  examples: [
    { line: 'gptj generate "I met a traveller from an antique land, who said" -n 64', caption: 'continue a text' },
    {
      line: 'gptj generate "Once upon a time" --do-sample --temperature 0.8 --top-p 0.95 --seed 7',
      caption: 'sample, with the same result each time',
    },
    { line: 'gptj generate --file prompt.txt --json --num-beams 4', caption: 'beam search over a file, as JSON' },
  ],
  refused: [
    ...REFUSED_PARAMETERS,
    { names: ['url', 'token', 'profile'], answer: 'gptj run asks a server; gptj generate computes in this process' },
  ],

  async run(context, options) {
    const parameters = GENERATE_PARAMETERS.read(options);
    const threads = integerOption(options, 'threads', { min: 1, max: 1024 });
    const path = chooseModel(options.values.get('model'), context.env);
    const prompt = await readPrompt(context.stdin, options);
    const model = await readConfig(path);
    const tokenizer = await openTokenizer(path);
    const tokens = tokenizer.encode(prompt, { splitSpecialTokens: readSplit(parameters) });
    const kind: EngineKind = options.values.get('engine') === 'reference' ? 'reference' : 'llama';
    // Checked before the weights are loaded, which takes time.
    const { config, warnings } = checkParameters(parameters, {
      vocabSize: model.vocabSize,
      contextLength: model.contextLength,
      eosTokenId: model.eosTokenIds,
      promptLength: tokens.length,
      encodeText: (text, encoding) => tokenizer.encode(text, encoding),
      ...(kind === 'reference' ? { earlyExitLayers: model.layerCount } : {}),
    });
    const { stdout, stderr, signal, now } = context;
    const warn = (warning: string): void => stderr.write(`warning: ${printable(warning)}\n`);
    const engine = await spawnEngine({ path, kind, onWarning: warn, ...(threads === null ? {} : { threads }) });
    try {
      const job = { engine, tokenizer, request: { prompt: tokens, config }, signal, now };
      let result: GenerationResult;
      if (options.values.get('json') === 'true') {
        result = await streamGeneration({ ...job, onText: async () => {} });
        const tokenText = (token: TokenId): string => tokenizer.decode([token], { skipSpecial: false });
        stdout.write(`${generationJson(result, { prompt, info: engine.info, tokenText, warnings })}\n`);
      } else {
        const echo = (options.values.get('echo') ?? String(stdout.columns !== null)) === 'true';
        const text = createTextPrinter(stdout, { prompt, echo, sequences: config.numReturnSequences });
        text.begin();
        result = await streamGeneration({ ...job, onText: text.push });
        text.end(result.texts);
      }
      for (const warning of [...warnings, ...(result.outcome.warnings ?? [])]) warn(warning);
      stderr.write(`${dim(stderr, summaryLine(result))}\n`);
      await stdout.drained();
    } finally {
      await engine.close();
    }
  },
};

function checkParameters(parameters: Readonly<Record<string, unknown>>, context: ParameterContext): ParsedParameters {
  return withUsageErrors(() => parseGenerateParameters(parameters, context));
}

function readSplit(parameters: Readonly<Record<string, unknown>>): boolean {
  return withUsageErrors(() => readSplitSpecialTokens(parameters));
}

/** Throws `UsageError` in place of `ParameterError`: here parameters come from options. */
function withUsageErrors<Result>(read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    throw error instanceof ParameterError ? new UsageError(error.message, { cause: error }) : error;
  }
}

async function readConfig(path: string): Promise<GptjConfig> {
  const checkpoint = await openCheckpoint(path);
  try {
    return checkpoint.config;
  } finally {
    await checkpoint.close();
  }
}
