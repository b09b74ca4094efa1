import type { TokenId } from '@gptj-cloud/model';
import type { GenerateConfig } from './generate-config.ts';
import { forbidEosBefore } from './processors/min-length.ts';
import { penaliseRepetition } from './processors/repetition-penalty.ts';
import { scaleByTemperature } from './warpers/temperature.ts';
import { keepTopK } from './warpers/top-k.ts';
import { keepTopP } from './warpers/top-p.ts';

/** One row on its way through the chain. */
export interface ChainRow {
  /** Changed in place. */
  readonly scores: Float32Array;
  /** Prompt and generated tokens so far. */
  readonly sequence: readonly TokenId[];
}

/** The ordered processors and warpers of one configuration. Rows are changed in place. */
export type Chain = (rows: readonly ChainRow[]) => void;

export function buildChain(config: GenerateConfig): Chain {
  const { temperature, topK, topP, repetitionPenalty, minLength, eosTokenIds } = config;
  return (rows) => {
    for (const { scores, sequence } of rows) {
      if (repetitionPenalty !== 1) penaliseRepetition(scores, sequence, repetitionPenalty);
      if (minLength > 0) forbidEosBefore(scores, sequence, minLength, eosTokenIds);
      if (!config.doSample) continue;
      if (temperature !== 1) scaleByTemperature(scores, temperature);
      if (topK !== 0) keepTopK(scores, topK);
      if (topP < 1) keepTopP(scores, topP, 1);
    }
  };
}
