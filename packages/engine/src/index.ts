export type { Engine, EngineInfo, GenerationEvent, GenerationRequest, GenerationUsage } from './engine.ts';
export { chooseEngine, ENGINE_KINDS, type EngineKind } from './engine-choice.ts';
export { BATCH_TOKEN_BOUNDS, type EngineStats } from './engine-stats.ts';
export { createEngine, type InProcessEngineOptions } from './in-process-engine.ts';
export { openQuantiser } from './llama/llama-quantiser.ts';
export { describeMemory, gigabytes, type MemoryPlan } from './machine/memory-plan.ts';
export { type OpenModel, type OpenModelOptions, openModel, openTokenizer } from './open-model.ts';
export { modelContext, parameterContext } from './parameter-context.ts';
export { type SpawnEngineOptions, type SpawnedEngine, spawnEngine } from './process/spawn-engine.ts';
