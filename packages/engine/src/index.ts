export type { Engine, EngineInfo, GenerationEvent, GenerationRequest, GenerationUsage } from './engine.ts';
