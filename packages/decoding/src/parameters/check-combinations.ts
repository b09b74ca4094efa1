import type { DecodingMode, GenerateConfig } from '../generate-config.ts';
import { maxRows } from '../max-rows.ts';
import { ParameterError } from '../parameter-error.ts';
import { checkWork } from './check-work.ts';
import { LIMITS, type ParameterContext } from './parameter-context.ts';
import { limitOutput } from './read-output.ts';

/** Limits over several parameters, and combinations of modes that are not supported. */
export function checkCombinations(config: GenerateConfig, context: ParameterContext): void {
  const { mode, numBeams, numReturnSequences } = config;
  const newTokens = config.maxLength - context.promptLength;
  const rows = maxRows(config);
  if (rows > LIMITS.rows) {
    const names: Partial<Record<DecodingMode, string>> = {
      sample: 'num_return_sequences',
      dola: 'num_return_sequences',
      contrastive: 'top_k',
    };
    const name = names[mode] ?? 'num_beams';
    throw new ParameterError(
      'limit_exceeded',
      [name],
      `${name}: expected at most ${LIMITS.rows} sequences at a time, got ${rows} (num_beams ${numBeams}, ` +
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
        `negative_prompt_ids: expected at most ${context.contextLength} tokens together with the output, got ${unconditional}`,
      );
    }
  }
  limitOutput(config.output, {
    // Scores are returned of the rows from which tokens are chosen, not of unconditional rows or rejected candidates.
    rows: mode === 'contrastive' ? 1 : rows / (config.guidanceScale === 1 ? 1 : 2),
    sequences: numReturnSequences,
    beams: config.numBeams > 1 ? rows / (config.guidanceScale === 1 ? 1 : 2) : 0,
    newTokens,
    vocabSize: context.vocabSize,
  });
  checkWork(config, context);
}
