export type { GenerateConfig } from './generate-config.ts';
export type { FinishReason, GeneratedSequence, GenerateOutcome } from './generate-outcome.ts';
export type { Answer, Ask, Row, RowResult, Settled, Strategy } from './strategy.ts';
