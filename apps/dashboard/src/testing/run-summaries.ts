import type { RunSummary } from '@gptj-cloud/sdk';

/** A complete run that was accepted at a second. */
export function runSummary(id: string, second: number, fields: Partial<RunSummary> = {}): RunSummary {
  const createdAt = new Date(second * 1000);
  return {
    id,
    runState: 'complete',
    createdAt,
    startedAt: createdAt,
    endedAt: new Date(createdAt.getTime() + 500),
    pipelineId: 'pipeline_1',
    promptHead: 'Once upon a time',
    outputHead: 'there lived',
    tokenId: null,
    tokenName: null,
    error: null,
    exception: null,
    usage: { promptTokens: 4, generatedTokens: 12, computedTokens: 16, cachedTokens: 0 },
    timings: { queuedMs: 1, firstTokenMs: 110, computeMs: 400 },
    cost: { amount: '0.0004', currency: 'USD' },
    seed: 7,
    attempts: 1,
    asyncRun: false,
    ...fields,
  };
}
