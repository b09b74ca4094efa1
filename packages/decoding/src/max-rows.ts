import type { GenerateConfig } from './generate-config.ts';

/**
 * Maximum number of rows in one request of this configuration's strategy: the driver needs room for them.
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
      // Compat 4.25 runs one search per returned sequence.
      return config.compat === '4.25' ? config.numBeams * config.numReturnSequences : config.numBeams;
    case 'contrastive':
      // The candidates, and the context that they extend.
      return config.topK + 1;
    default:
      return config.mode satisfies never;
  }
}
