import type { TokenId } from '@gptj-cloud/model';
import type { Command } from '../command.ts';
import { GENERATE_PARAMETERS, REFUSED_PARAMETERS } from '../generate-parameters.ts';
import { generationJson, summaryLine } from '../generation-report.ts';
import { MODEL_OPTIONS, openLocalModel } from '../local-model.ts';
import { isOn } from '../options.ts';
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
  extraArgument: '--model names the model; quote a prompt that contains spaces',
  notes: [
    'Figures and warnings go to standard error, so that the text can be piped.',
    'gptj run continues a text on a server, whose model is loaded already.',
  ],
  groups: [
    {
      title: 'options',
      options: [
        ...PROMPT_OPTIONS,
        ...MODEL_OPTIONS,
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
    const { stdin, stdout, stderr, signal, now } = context;
    const parameters = GENERATE_PARAMETERS.read(options);
    const model = await openLocalModel(context, options);
    const prompt = await readPrompt(stdin, options);
    const tokens = model.encode(prompt, parameters);
    const { config, warnings } = model.check(parameters, tokens.length);
    const { tokenizer } = model;
    const engine = await model.load();
    try {
      const job = { engine, tokenizer, request: { prompt: tokens, config }, signal, now };
      let result: GenerationResult;
      if (isOn(options, 'json')) {
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
      for (const warning of [...warnings, ...(result.outcome.warnings ?? [])]) {
        stderr.write(`warning: ${printable(warning)}\n`);
      }
      stderr.write(`${dim(stderr, summaryLine(result))}\n`);
      await stdout.drained();
    } finally {
      await engine.close();
    }
  },
};
