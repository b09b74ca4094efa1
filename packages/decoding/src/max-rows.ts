import type { GenerateConfig } from './generate-config.ts';

/**
 * Most rows that one ask of this configuration's strategy holds: what a driver must have room for.
 * Every row is at most `maxLength` tokens long and shares the prompt with the others.
 */
export function maxRows(config: GenerateConfig): number {
  const branches = config.guidanceScale === 1 ? 1 : 2;
  return branches * rows(config);
}

function rows(config: GenerateConfig): number {
  switch (config.mode) {
    case 'greedy':
    case 'sample':
    case 'dola':
    case 'score':
      return config.numReturnSequences;
    case 'beam':
    case 'group':
    case 'constrained':
      return config.numBeams;
    case 'beam-sample':
      // Era 4.25 runs one search per returned sequence.
      return config.compat === '4.25' ? config.numBeams * config.numReturnSequences : config.numBeams;
    case 'contrastive':
      // Every candidate is tried, beside the context that they extend.
      return config.topK + 1;
    default:
      return config.mode satisfies never;
  }
}
