export { adaptersFor } from './adapters/adapter-file.ts';
export type { Engine, EngineInfo, GenerationEvent, GenerationRequest, GenerationUsage } from './engine.ts';
export { chooseEngine, ENGINE_KINDS, type EngineKind } from './engine-choice.ts';
export { BATCH_TOKEN_BOUNDS, type EngineStats } from './engine-stats.ts';
export { describeModelFile } from './host/describe-model-file.ts';
export type { HostedModel, HostedStatus, HostModel, ModelLease } from './host/hosted-model.ts';
export { createModelHost, type ModelHost } from './host/model-host.ts';
export { createEngine, type InProcessEngineOptions } from './in-process-engine.ts';
export { type CollectImportanceOptions, collectImportance } from './llama/collect-importance.ts';
export { openQuantiser } from './llama/llama-quantiser.ts';
export { type MachineMemory, readMachineMemory } from './machine/machine-memory.ts';
export { describeMemory, gigabytes, type MemoryPlan, modelBudget, planMemory } from './machine/memory-plan.ts';
export {
  type GpuMemory,
  largestGpuMemory,
  type NvidiaGpu,
  type RunProgram,
  readNvidiaGpus,
  runProgram,
} from './machine/nvidia-gpus.ts';
export {
  type OpenModel,
  type OpenModelOptions,
  openModel,
  openTokenizer,
  openTokenizers,
  readTokenizerData,
} from './open-model.ts';
export { modelContext, parameterContext } from './parameter-context.ts';
export type { EngineReport } from './process/engine-report.ts';
export { createEventJoiner, type EventJoiner, toWireEvents, type WireEvent } from './process/event-parts.ts';
export { findGpuMemory } from './process/gpu-memory.ts';
export { fromWireError, toWireError, type WireError } from './process/messages.ts';
export { probeEngines } from './process/probe-engines.ts';
export { type SpawnEngineOptions, type SpawnedEngine, spawnEngine } from './process/spawn-engine.ts';
export { type RemoteAddress, remoteBase } from './remote/http.ts';
export { joinEngines } from './remote/join-engines.ts';
export { type OpenRemoteOptions, openRemoteEngine } from './remote/open-remote-engine.ts';
export { makeParityProbe, type ParityProbe, parseParityProbe } from './remote/parity-probe.ts';
export {
  describeRefused,
  describeRemoteParameters,
  type RemoteLimits,
  refusedParameters,
} from './remote/remote-parameters.ts';
export { CAPABILITIES, capabilitiesOf, needOf, type RequestNeed } from './remote/request-need.ts';
export { PREFIX_BLOCK_TOKENS } from './scheduler/prefix-cache.ts';
