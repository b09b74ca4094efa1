import type { ModelContext, ParameterContext } from '@gptj-cloud/decoding';
import type { EngineInfo } from './engine.ts';

/** The context that `readGenerateParameters` needs, from an engine. */
export function modelContext(info: EngineInfo, encodeText?: ModelContext['encodeText']): ModelContext {
  const { vocabSize, contextLength, eosTokenIds } = info.config;
  const { adapters } = info;
  return {
    vocabSize,
    contextLength,
    eosTokenId: eosTokenIds,
    adapters,
    ...(encodeText === undefined ? {} : { encodeText }),
    ...(info.earlyExitLayers === null ? {} : { earlyExitLayers: info.earlyExitLayers }),
  };
}

/** The context that `parseGenerateParameters` needs, from an engine and the length of a prompt. */
export function parameterContext(
  info: EngineInfo,
  promptLength: number,
  encodeText?: ModelContext['encodeText'],
): ParameterContext {
  return { ...modelContext(info, encodeText), promptLength };
}
