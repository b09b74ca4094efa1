import type { TokenId } from '@gptj-cloud/model';
import type { GenerateConfig } from '../generate-config.ts';
import { ParameterError } from '../parameter-error.ts';
import { LIMITS, type ModelContext } from './parameter-context.ts';
import type { PromptSituation } from './parameter-record.ts';
import { toList, toTokenIds } from './read-list.ts';
import { type Fields, refuse, toInteger, toTokenId } from './read-value.ts';
import { showValue } from './show-value.ts';

export function readForcedEos(fields: Fields, { context, maxLength }: PromptSituation): GenerateConfig['forcedEos'] {
  const name = 'forced_eos_token_id';
  const value = fields.get(name);
  if (value === undefined) return null;
  const tokens = Array.isArray(value)
    ? toTokenIds(name, value, context.vocabSize, LIMITS.wordLength)
    : [toTokenId(name, value, context.vocabSize)];
  return { tokens, atLength: maxLength - 1 };
}

export function readForcedDecoderIds(fields: Fields, context: ModelContext): GenerateConfig['forcedDecoderIds'] {
  const name = 'forced_decoder_ids';
  const value = fields.get(name);
  if (value === undefined) return [];
  const shape = { what: 'an array of pairs [position, token id]', max: context.contextLength };
  return toList(name, value, shape, (pair) => {
    if (!Array.isArray(pair) || pair.length !== 2) refuse(name, 'pairs [position, token id]', pair);
    return [toInteger(name, pair[0], { min: 0 }), toTokenId(name, pair[1], context.vocabSize)] as const;
  });
}

/** transformers 5.18 refuses to force a token that is suppressed. */
export function refuseSuppressedForcedTokens(
  config: Pick<GenerateConfig, 'forcedEos' | 'forcedBosTokenId'>,
  suppressed: ReadonlySet<TokenId>,
): void {
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
        `suppress_tokens: expected to leave a token of ${name} possible, got all of them (${showValue(tokens)})`,
      );
    }
  }
}
