import type { EngineInfo } from '@gptj-cloud/engine';

/** Names of engines in the start-up line, for the CPU. */
const ENGINES: Readonly<Record<string, string>> = { kernels: ' (own kernels)', llama: ' (llama.cpp)' };

const PLACES: Readonly<Record<EngineInfo['backend'], string>> = {
  cpu: 'the CPU',
  cuda: 'the GPU by CUDA',
  metal: 'the GPU by Metal',
  vulkan: 'the GPU by Vulkan',
};

/** What the start-up line says of the model: name, storage, where it is computed, time of loading. */
export function describeModel({ kind, modelName, quantisation, backend, loadMs }: EngineInfo): string {
  const engine = backend === 'cpu' ? (ENGINES[kind] ?? '') : '';
  return `${modelName}, ${quantisation}, on ${PLACES[backend]}${engine}, loaded in ${(loadMs / 1000).toFixed(1)} s`;
}
