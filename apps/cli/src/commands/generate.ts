import { openCheckpoint } from '@gptj-cloud/checkpoint';
import { parseGenerateParameters } from '@gptj-cloud/decoding';
import { type EngineKind, openTokenizer, spawnEngine } from '@gptj-cloud/engine';
import type { GptjConfig } from '@gptj-cloud/model';
import type { Command, CommandContext } from '../command.ts';
import { chooseModel } from '../default-model.ts';
import { generateParameters, PARAMETER_GROUPS, RARE_PARAMETERS } from '../generate-parameters.ts';
import { generationJson, summaryLine } from '../generation-report.ts';
import { integerOption, type ParsedOptions } from '../options.ts';
import { bold, dim } from '../output.ts';
import { printable } from '../printable.ts';
import { readPrompt } from '../read-prompt.ts';
import { type GenerationResult, streamGeneration } from '../stream-generation.ts';

export const generateCommand: Command = {
  name: 'generate',
  usage: '[PROMPT] [options]',
  summary: 'continue a text',
  about:
    'Continues PROMPT, or the text on standard input, and shows the continuation as it is written. Figures about speed go to standard error, so that output can be piped. Every parameter of transformers’ generate is an option; values are JSON where they look like it.',
  groups: [
    {
      title: 'options',
      options: [
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
          summary: 'what computes',
          choices: ['llama', 'reference'],
          default: 'llama',
        },
        { name: 'threads', value: 'N', summary: 'threads to compute with', default: 'one per physical core' },
        { name: 'json', value: null, summary: 'print one JSON object at the end instead of text' },
        { name: 'echo', value: null, summary: 'show the prompt before its continuation', default: 'on a terminal' },
      ],
    },
    ...PARAMETER_GROUPS,
    { title: 'also', options: RARE_PARAMETERS, namesOnly: true },
  ],
  examples: [
    { line: 'gptj generate "I met a traveller from an antique land, who said" -n 64', says: 'continue a text' },
    {
      line: 'gptj generate "Once upon a time" --do-sample --temperature 0.8 --top-p 0.95 --seed 7',
      says: 'draw at random, the same each time',
    },
    { line: 'gptj generate - --json --num-beams 4 < prompt.txt', says: 'beam search over a file, as JSON' },
  ],

  async run(context, options) {
    const parameters = generateParameters(options);
    const threads = integerOption(options, 'threads', { least: 1, most: 1024 });
    const path = chooseModel(options.values.get('model'), context.env);
    const prompt = await readPrompt(context, options);
    const model = await readConfig(path);
    const tokenizer = await openTokenizer(path);
    const tokens = tokenizer.encode(prompt);
    const kind: EngineKind = options.values.get('engine') === 'reference' ? 'reference' : 'llama';
    // Before the weights are loaded: a slip in a parameter should not cost that time.
    const { config, warnings } = parseGenerateParameters(parameters, {
      vocabSize: model.vocabSize,
      contextLength: model.contextLength,
      eosTokenId: model.eosTokenId,
      promptLength: tokens.length,
      encodeText: (text) => tokenizer.encode(text),
      ...(kind === 'reference' ? { earlyExitLayers: model.layerCount } : {}),
    });
    const engine = await spawnEngine({ path, kind, ...(threads === null ? {} : { threads }) });
    try {
      const json = options.values.get('json') === 'true';
      const text = createTextPrinter(context, options, prompt, config.numReturnSequences);
      text.begin();
      const result = await streamGeneration({
        engine,
        tokenizer,
        request: { prompt: tokens, config },
        signal: context.signal,
        now: context.now,
        onText: text.push,
      });
      const { info } = engine;
      const tokenText = (token: number): string => tokenizer.decode([token], { skipSpecial: false });
      if (json) context.stdout.write(`${generationJson(result, { prompt, info, tokenText, warnings })}\n`);
      else text.end(result);
      for (const warning of [...warnings, ...result.outcome.warnings]) {
        context.stderr.write(`warning: ${printable(warning)}\n`);
      }
      context.stderr.write(`${dim(context.stderr, summaryLine(result))}\n`);
      await context.stdout.drained();
    } finally {
      await engine.close();
    }
  },
};

async function readConfig(path: string): Promise<GptjConfig> {
  const checkpoint = await openCheckpoint(path);
  try {
    return checkpoint.config;
  } finally {
    await checkpoint.close();
  }
}

interface TextPrinter {
  begin(): void;
  push(text: string): Promise<void>;
  end(result: GenerationResult): void;
}

/** One sequence is shown as it comes; of several, each under its number when all are there. */
function createTextPrinter(
  { stdout }: CommandContext,
  options: ParsedOptions,
  prompt: string,
  sequences: number,
): TextPrinter {
  const silent = options.values.get('json') === 'true';
  const terminal = stdout.columns !== null;
  const echo = (options.values.get('echo') ?? String(terminal)) === 'true';
  // What a model says may hold escape sequences; a pipe gets them as they are, a terminal does not.
  const shown = (text: string): string => (terminal ? printable(text, true) : text);
  const live = !silent && sequences === 1;
  return {
    begin() {
      if (!silent && echo) stdout.write(bold(stdout, shown(prompt)));
    },
    async push(text) {
      if (!live) return;
      stdout.write(shown(text));
      await stdout.drained();
    },
    end(result) {
      if (!live) {
        result.texts.forEach((text, at) => {
          stdout.write(
            `${at === 0 && !echo ? '' : '\n'}${dim(stdout, `--- ${at + 1} of ${sequences}`)}\n${shown(text)}\n`,
          );
        });
      } else {
        stdout.write('\n');
      }
    },
  };
}
