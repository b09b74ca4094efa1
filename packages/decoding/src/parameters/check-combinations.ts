import type { DecodingMode, GenerateConfig } from '../generate-config.ts';
import { ParameterError } from '../parameter-error.ts';
import { LIMITS, type ParameterContext } from './parameter-context.ts';
import { limitOutput } from './read-output.ts';

/** What only the finished configuration shows: limits over several parameters, and modes that do not go together. */
export function checkCombinations(config: GenerateConfig, context: ParameterContext): void {
  const { mode, numBeams, numReturnSequences } = config;
  const newTokens = config.maxLength - context.promptLength;
  const branches = config.guidanceScale === 1 ? 1 : 2;
  let rows = numBeams;
  if (mode === 'sample' || mode === 'dola') rows = numReturnSequences;
  else if (mode === 'contrastive') rows = Math.min(config.topK, context.vocabSize);
  else if (mode === 'beam-sample' && config.era === '4.25') rows = numBeams * numReturnSequences;
  if (rows * branches > LIMITS.rows) {
    const names: Partial<Record<DecodingMode, string>> = { sample: 'num_return_sequences', contrastive: 'top_k' };
    const name = names[mode] ?? 'num_beams';
    throw new ParameterError(
      'limit_exceeded',
      [name],
      `${name}: expected at most ${LIMITS.rows} sequences at a time, got ${rows * branches} (num_beams ${numBeams}, ` +
        `num_return_sequences ${numReturnSequences})`,
    );
  }
  if (config.guidanceScale !== 1) {
    if (mode === 'contrastive' || mode === 'dola') {
      throw new ParameterError(
        'unsupported_parameter',
        ['guidance_scale'],
        `guidance_scale: expected 1 in ${mode} decoding, got ${config.guidanceScale}`,
      );
    }
    const unconditional = (config.negativePromptIds?.length ?? 1) + newTokens;
    if (unconditional > context.contextLength) {
      throw new ParameterError(
        'limit_exceeded',
        ['negative_prompt_ids'],
        `negative_prompt_ids: with the output at most ${context.contextLength} tokens are possible, got ${unconditional}`,
      );
    }
  }
  limitOutput(config.output, {
    rows: Math.max(rows, numReturnSequences),
    sequences: numReturnSequences,
    newTokens,
    vocabSize: context.vocabSize,
  });
}
