import type { Engine } from '@gptj-cloud/engine';
import { summaryLine } from '../generation-report.ts';
import type { LocalModel } from '../local-model.ts';
import { streamGeneration } from '../stream-generation.ts';
import { roomFor, type TextWriter } from './text-writer.ts';

/** The model in a child process of this one. The writer closes the engine. */
export function createLocalWriter(model: LocalModel, engine: Engine, now: () => number): TextWriter {
  const { tokenizer, contextLength } = model;
  return {
    description: `${engine.info.modelName} on this machine`,
    contextLength,
    count: async (text) => model.encode(text, {}).length,
    async write({ text, parameters, signal, onText }) {
      const tokens = model.encode(text, parameters);
      const kept = tokens.slice(-roomFor(contextLength, parameters));
      const { config, warnings } = model.check(parameters, kept.length);
      const request = { prompt: kept, config };
      const result = await streamGeneration({ engine, tokenizer, request, signal, now, onText });
      return {
        line: summaryLine(result),
        warnings: [...warnings, ...(result.outcome.warnings ?? [])],
        leftOut: tokens.length - kept.length,
      };
    },
    close: async () => await engine.close(),
  };
}
