import type { ParameterContext } from '@gptj-cloud/decoding';
import type { EngineInfo } from './engine.ts';

/** The context that `parseGenerateParameters` needs, from an engine and the length of a prompt. */
export function parameterContext(
  info: EngineInfo,
  promptLength: number,
  encodeText?: ParameterContext['encodeText'],
): ParameterContext {
  const { vocabSize, contextLength, eosTokenIds } = info.config;
  return {
    vocabSize,
    contextLength,
    eosTokenId: eosTokenIds,
    promptLength,
    ...(encodeText === undefined ? {} : { encodeText }),
    ...(info.earlyExitLayers === null ? {} : { earlyExitLayers: info.earlyExitLayers }),
  };
}
