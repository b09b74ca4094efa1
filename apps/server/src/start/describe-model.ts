import type { EngineInfo } from '@gptj-cloud/engine';

const PLACES: Readonly<Record<EngineInfo['backend'], string>> = {
  cpu: 'the CPU',
  cuda: 'the GPU by CUDA',
  metal: 'the GPU by Metal',
  vulkan: 'the GPU by Vulkan',
};

/** What the start-up line says of the model: name, storage, where it is computed, time of loading. */
export function describeModel({ modelName, quantisation, backend, loadMs }: EngineInfo): string {
  return `${modelName}, ${quantisation}, on ${PLACES[backend]}, loaded in ${(loadMs / 1000).toFixed(1)} s`;
}
