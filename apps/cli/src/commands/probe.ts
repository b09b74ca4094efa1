import { makeParityProbe } from '@gptj-cloud/engine';
import type { Command } from '../command.ts';
import { MODEL_OPTIONS, openLocalModel } from '../local-model.ts';
import { isOn } from '../options.ts';
import { checkNewFile, writeNewFile } from '../write-new-file.ts';

export const probeCommand: Command = {
  name: 'probe',
  summary: 'write known log-probabilities of a model, to prove that a completions server computes the same',
  about:
    'Computes the log-probabilities of 64 tokens with this engine and writes them as JSON. A server that is started with --engine openai=URL and ENGINE_PROBE compares them with those of that server and need not load the weights.',
  arguments: [{ name: 'OUT', summary: 'the file to write', values: 'file' }],
  notes: [
    'Use the weights that the other server has, in the same precision: f16 for one in half precision. Values of quantised weights differ by more than the comparison allows.',
  ],
  groups: [
    {
      title: 'options',
      options: [...MODEL_OPTIONS, { name: 'overwrite', value: null, summary: 'replace OUT if it exists' }],
    },
  ],
  examples: [
    {
      line: 'gptj probe gpt-j-6b.probe.json --model gpt-j-6b.f16',
      caption:
        'then: ENGINE_PROBE=gpt-j-6b.probe.json gptj worker --engine openai=http://vllm:8000 --model gpt-j-6b.f16',
    },
  ],

  async run(context, options) {
    const [out] = options.positionals;
    const overwrite = isOn(options, 'overwrite');
    checkNewFile(out!, { overwrite }, '');
    const model = await openLocalModel(context, options);
    const engine = await model.load();
    try {
      const probe = await makeParityProbe(engine, model.tokenizer);
      await writeNewFile(out!, `${JSON.stringify(probe)}\n`, { overwrite });
      const { model: name, quantisation, logprobs } = probe;
      context.stdout.write(`${out}: ${logprobs.length} log-probabilities of ${name} (${quantisation})\n`);
    } finally {
      await engine.close();
    }
  },
};
