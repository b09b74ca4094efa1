import type { EngineInfo } from '@gptj-cloud/engine';

/** Names of engines in the start-up line, for the CPU. */
const ENGINES: Readonly<Record<string, string>> = { kernels: ' (own kernels)', llama: ' (llama.cpp)' };

const PLACES: Readonly<Record<EngineInfo['backend'], string>> = {
  cpu: 'the CPU',
  cuda: 'the GPU by CUDA',
  metal: 'the GPU by Metal',
  vulkan: 'the GPU by Vulkan',
  remote: 'another server',
};

/** What the start-up line says of the model: name, storage, where it is computed, what drafts for it, time of loading. */
export function describeModel(info: EngineInfo): string {
  const { kind, modelName, draftModelName, adapters, quantisation, backend, loadMs } = info;
  if (backend === 'remote')
    return `${modelName}, ${quantisation}, on ${PLACES[backend]}, compared in ${(loadMs / 1000).toFixed(1)} s`;
  const engine = backend === 'cpu' ? (ENGINES[kind] ?? '') : '';
  const drafts = draftModelName === null ? '' : `, drafts by ${draftModelName}`;
  const adapted =
    adapters.length === 0 ? '' : `, with ${adapters.length === 1 ? 'the adapter' : 'adapters'} ${adapters.join(', ')}`;
  return `${modelName}, ${quantisation}, on ${PLACES[backend]}${engine}${drafts}${adapted}, loaded in ${(loadMs / 1000).toFixed(1)} s`;
}

/** The same of a model that is loaded when it is asked for. */
export function describeUnloaded({ modelName, quantisation }: EngineInfo): string {
  return `${modelName}, ${quantisation}, loaded on demand`;
}
