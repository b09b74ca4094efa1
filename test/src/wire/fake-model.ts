import { GPTJ_6B } from '@gptj-cloud/model';
import type { ServedModel } from '@gptj-cloud/server';

/** A model with one token a byte that continues every prompt with dots, up to the limits of the parameters. */
export function dotModel(): ServedModel {
  return {
    engine: {
      info: {
        kind: 'fake',
        modelName: 'dots',
        quantisation: 'F32',
        config: GPTJ_6B,
        cacheCells: 2048,
        backend: 'cpu',
        draftModelName: null,
        adapters: [],
        earlyExitLayers: null,
        loadMs: 0,
      },
      async *generate({ prompt, config }) {
        const tokens = Array.from({ length: config.maxLength - prompt.length }, () => '.'.charCodeAt(0));
        yield {
          type: 'finished',
          outcome: { sequences: [{ tokens, finishReason: 'length' }], warnings: [] },
          usage: {
            promptTokens: prompt.length,
            generatedTokens: tokens.length,
            computedTokens: prompt.length + tokens.length,
            cachedTokens: 0,
            queueMs: 0,
            computeMs: 1,
          },
        };
      },
      async close() {},
    },
    tokenizer: {
      vocabSize: GPTJ_6B.vocabSize,
      longestTokenBytes: 1,
      encode: (text) => [...new TextEncoder().encode(text)],
      encodeEnd: (text, { count }) => [...new TextEncoder().encode(text)].slice(-count),
      decode: (ids) => new TextDecoder().decode(Uint8Array.from(ids)),
      tokenBytes: (id) => Uint8Array.of(id),
      isSpecial: () => false,
    },
  };
}
