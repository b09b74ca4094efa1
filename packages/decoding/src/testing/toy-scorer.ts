import type { TokenId } from '@gptj-cloud/model';
import type { Scorer } from '../drive.ts';
import type { ParameterContext } from '../parameters/parameter-context.ts';

export const TOY_VOCABULARY = 24;
export const TOY_EOS: TokenId = 3;

/** The context in which parameters for the toy model and a prompt of `promptLength` are checked. */
export function toyContext(promptLength: number): ParameterContext {
  return {
    vocabSize: TOY_VOCABULARY,
    contextLength: 64,
    eosTokenId: TOY_EOS,
    promptLength,
    earlyExitLayers: 4,
  };
}

/** Logits, hidden states and inner layers that depend on the whole prefix, smooth enough to have no ties. */
export const toyScorer: Scorer = ({ tokens, start, hidden, layers }) => {
  const row = (prefix: readonly TokenId[], salt: number, size: number) => {
    const phase = prefix.reduce((sum, token, at) => sum + (token + 1) * (at + 2) * 0.71, salt);
    return Float32Array.from(
      { length: size },
      (_, id) => 3 * Math.sin(phase * 1.3 + (id + 1) * (id + 7) * 0.37 + salt),
    );
  };
  const prefixes = tokens.slice(start).map((_, at) => tokens.slice(0, start + at + 1));
  return {
    logits: prefixes.map((prefix) => row(prefix, 0, TOY_VOCABULARY)),
    hidden: hidden ? prefixes.map((prefix) => row(prefix, 5, 6)) : [],
    layers: layers.map((layer) => prefixes.map((prefix) => row(prefix, 9 + layer, TOY_VOCABULARY))),
  };
};

/** The same row of logits at every position. */
export function constantScorer(logits: readonly number[]): Scorer {
  return ({ tokens, start }) => ({
    logits: tokens.slice(start).map(() => Float32Array.from(logits)),
    hidden: [],
    layers: [],
  });
}
