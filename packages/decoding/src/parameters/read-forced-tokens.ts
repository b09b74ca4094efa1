import type { GenerateConfig } from '../generate-config.ts';
import { ParameterError } from '../parameter-error.ts';
import { LIMITS, type ParameterContext } from './parameter-context.ts';
import type { ParameterSituation } from './parameter-record.ts';
import { type Fields, refuse, toInteger, toList, toTokenId, toTokenIds } from './read-value.ts';

export function readForcedEos(fields: Fields, { context, maxLength }: ParameterSituation): GenerateConfig['forcedEos'] {
  const name = 'forced_eos_token_id';
  const value = fields.get(name);
  if (value === undefined) return null;
  const tokens = Array.isArray(value)
    ? toTokenIds(name, value, context.vocabSize, LIMITS.wordLength)
    : [toTokenId(name, value, context.vocabSize)];
  return { tokens, atLength: maxLength - 1 };
}

export function readForcedDecoderIds(fields: Fields, context: ParameterContext): GenerateConfig['forcedDecoderIds'] {
  const name = 'forced_decoder_ids';
  const value = fields.get(name);
  if (value === undefined) return [];
  return toList(name, value, 'an array of pairs [position, token id]', context.contextLength).map((pair) => {
    if (!Array.isArray(pair) || pair.length !== 2) refuse(name, 'pairs [position, token id]', pair);
    return [toInteger(name, pair[0], { min: 0 }), toTokenId(name, pair[1], context.vocabSize)] as const;
  });
}

/** transformers 5.18 refuses to force a token that is suppressed. */
export function refuseSuppressedForcedTokens(
  config: Pick<GenerateConfig, 'suppressTokens' | 'forcedEos' | 'forcedBosTokenId'>,
): void {
  const suppressed = new Set(config.suppressTokens);
  if (suppressed.size === 0) return;
  const forced = [
    ['forced_eos_token_id', config.forcedEos?.tokens ?? []],
    ['forced_bos_token_id', config.forcedBosTokenId === null ? [] : [config.forcedBosTokenId]],
  ] as const;
  for (const [name, tokens] of forced) {
    if (tokens.length > 0 && tokens.every((token) => suppressed.has(token))) {
      throw new ParameterError(
        'invalid_parameter',
        ['suppress_tokens', name],
        `suppress_tokens: expected to leave a token of ${name} possible, got all of them (${tokens.join(', ')})`,
      );
    }
  }
}
