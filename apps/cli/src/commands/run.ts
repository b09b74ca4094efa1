import { GPTJ_PIPELINE_ID } from '@gptj-cloud/protocol';
import { SERVER_GROUP } from '../client/client-options.ts';
import { findPreset } from '../client/find-preset.ts';
import { awaitRun, printRun, reportRun } from '../client/follow-run.ts';
import { openClient } from '../client/open-client.ts';
import type { Command } from '../command.ts';
import { REFUSED_PARAMETERS, RUN_PARAMETERS } from '../generate-parameters.ts';
import { isOn, UsageError } from '../options.ts';
import { PROMPT_ARGUMENT, PROMPT_OPTIONS, readPrompt } from '../read-prompt.ts';
import { createTextPrinter } from '../text-printer.ts';

export const runCommand: Command = {
  name: 'run',
  summary: 'continue a text on a server',
  about:
    'Runs the pipeline of a server on a prompt and prints the text while the server generates it. Every parameter of a run is an option; values that parse as JSON are JSON.',
  arguments: [PROMPT_ARGUMENT],
  extraArgument: 'a server has one model, so no name precedes the prompt; quote a prompt that contains spaces',
  notes: [
    'Ctrl-C cancels the run on the server.',
    'Figures and warnings go to standard error, so that the text can be piped.',
    'A run samples, unless --no-do-sample or --num-beams says otherwise.',
    'With --preset the prompt may be that of the preset, if it has one.',
    'gptj generate continues a text in this process, without a server.',
  ],
  groups: [
    {
      title: 'options',
      options: [
        ...PROMPT_OPTIONS,
        {
          name: 'async',
          value: null,
          summary: 'print the id of the run and end; gptj runs follow ID shows its text',
        },
        { name: 'json', value: null, summary: 'print the ended run as the API returns it, one JSON object' },
        { name: 'echo', value: null, summary: 'show the prompt before its continuation', default: 'on a terminal' },
        {
          name: 'preset',
          value: 'NAME',
          summary: 'parameters of a preset, see gptj presets; given ones replace its own',
        },
        { name: 'pipeline', value: 'ID|TAG', summary: 'the pipeline to run', default: 'GPT-J' },
        {
          name: 'idempotency-key',
          value: 'KEY',
          summary: 'a second call with the same key and input returns the same run',
          default: 'a new one',
        },
      ],
    },
    SERVER_GROUP,
    ...RUN_PARAMETERS.groups,
  ],
  examples: [
    { line: 'gptj run "Once upon a time"', caption: 'continue a text' },
    { line: 'gptj run "Once upon a time" -n 32 --no-do-sample --json', caption: 'the same result each time, as JSON' },
    { line: 'gptj run --file prompt.txt --response-length 64 > story.txt', caption: 'from a file into a file' },
    { line: 'gptj run "Once upon a time" --async', caption: 'do not wait for the text' },
  ],
  refused: [
    ...REFUSED_PARAMETERS,
    {
      names: ['m', 'model'],
      answer: 'a server has one model, see gptj server; gptj generate --model FILE runs another',
    },
    { names: ['threads', 'engine'], answer: 'the server decides that; gptj generate runs in this process' },
    { names: ['api-key'], answer: 'use --token, or gptj login URL' },
    { names: ['endpoint', 'base-url', 'host', 'port'], answer: 'use --url, or gptj login URL' },
    { names: ['input', 'inputs', 'data'], answer: 'the prompt is an argument, --file FILE or standard input' },
  ],

  async run(context, options) {
    const { stdin, stdout, stderr, signal } = context;
    const asJson = isOn(options, 'json');
    const { api } = await openClient(context, options);
    const presetName = options.values.get('preset');
    const preset = presetName === undefined ? null : await findPreset(api, presetName, signal);
    const parameters = { ...preset?.parameters, ...RUN_PARAMETERS.read(options) };
    const hasPrompt = options.positionals.length > 0 || options.values.has('prompt') || options.values.has('file');
    const prompt = (hasPrompt ? null : preset?.prompt) ?? (await readPrompt(stdin, options));
    const pipeline = options.values.get('pipeline') ?? GPTJ_PIPELINE_ID;
    const key = options.values.get('idempotency-key');
    if (key !== undefined && !/^[\x21-\x7e]{1,255}$/.test(key)) {
      throw new UsageError('--idempotency-key: expected 1 to 255 printable ASCII characters without spaces');
    }
    const call = { signal, ...(key === undefined ? {} : { idempotencyKey: key }) };
    const data = [prompt, parameters];
    if (isOn(options, 'async')) {
      const started = await api.startRun(pipeline, data, call);
      stdout.write(asJson ? `${JSON.stringify(started.raw)}\n` : `${started.id}\n`);
      return;
    }
    // The server cancels a run whose stream is closed, so Ctrl-C ends both.
    const stream = api.streamPipeline(pipeline, data, call);
    if (asJson) {
      const ended = await awaitRun(stream);
      stdout.write(`${JSON.stringify(ended.raw)}\n`);
      reportRun(stderr, ended);
      return;
    }
    const sequences = typeof parameters.num_return_sequences === 'number' ? parameters.num_return_sequences : 1;
    // With include_input the text begins with the prompt already.
    const hasInput = parameters.include_input === true || parameters.remove_input === false;
    const echo = (options.values.get('echo') ?? String(stdout.columns !== null && !hasInput)) === 'true';
    await printRun(context, stream, createTextPrinter(stdout, { prompt, echo, sequences }));
  },
};
