import type { CompatVersion } from '../generate-config.ts';
import { ParameterError } from '../parameter-error.ts';
import type { ParameterContext } from './parameter-context.ts';
import { type Fields, refuse, toInteger } from './read-value.ts';
import { scoresPromptOnly } from './select-mode.ts';

/** transformers' own default: new tokens in 5.18, prompt and output together in 4.25. */
export const DEFAULT_NEW_TOKENS = 20;

/**
 * The limit as transformers computes it: prompt and output together. Under compat 4.25 it may lie at or below the
 * prompt's length; one token is generated nevertheless. Throws when the prompt fills the context or the limit exceeds it.
 */
export function readMaxLength(fields: Fields, compat: CompatVersion, context: ParameterContext): number {
  const { promptLength, contextLength } = context;
  const scoring = scoresPromptOnly(fields);
  const maxPrompt = scoring ? contextLength : contextLength - 1;
  if (promptLength > maxPrompt) {
    throw new ParameterError(
      'limit_exceeded',
      ['prompt'],
      `prompt: expected at most ${maxPrompt} tokens, got ${promptLength}; shorten it`,
    );
  }
  if (scoring) return promptLength;
  const continuation = fields.get('continuation_ids');
  if (Array.isArray(continuation)) {
    const limit = promptLength + continuation.length;
    if (limit > contextLength) {
      throw new ParameterError(
        'limit_exceeded',
        ['continuation_ids'],
        `continuation_ids: expected at most ${contextLength - promptLength} ids after the prompt, got ${continuation.length}`,
      );
    }
    return limit;
  }
  const maxLength = optionalInteger(fields, 'max_length');
  const maxNewTokens = optionalInteger(fields, 'max_new_tokens');
  const limit =
    compat === '5.18'
      ? limit518(maxLength, maxNewTokens, context, roomLeft(fields, context))
      : limit425(maxLength, maxNewTokens, context);
  const name = maxNewTokens === null ? 'max_length' : 'max_new_tokens';
  if (limit > contextLength) {
    throw new ParameterError(
      'limit_exceeded',
      [name],
      `${name}: prompt and output together may have ${contextLength} tokens; the prompt has ${promptLength}, so at most ` +
        `${contextLength - promptLength} new tokens are possible, got ${limit - promptLength}`,
    );
  }
  if (compat === '4.25') {
    const minLength = toInteger('min_length', fields.get('min_length') ?? 0);
    if (minLength > limit) refuse('min_length', `at most max_length ${limit}`, minLength);
  }
  return limit;
}

/** Number of tokens that fit into the context after the prompt and after `negative_prompt_ids`. */
export function roomLeft(fields: Fields, { promptLength, contextLength }: ParameterContext): number {
  const negative = fields.get('negative_prompt_ids');
  return contextLength - Math.max(promptLength, Array.isArray(negative) ? negative.length : 0);
}

/** `min_length`, or `min_new_tokens` after the prompt. */
export function readMinLength(fields: Fields, { promptLength }: ParameterContext): number {
  const minLength = toInteger('min_length', fields.get('min_length') ?? 0);
  const minNewTokens = fields.get('min_new_tokens');
  return Math.max(0, minNewTokens === undefined ? minLength : promptLength + toInteger('min_new_tokens', minNewTokens));
}

function limit518(
  maxLength: number | null,
  maxNewTokens: number | null,
  { promptLength }: ParameterContext,
  room: number,
): number {
  if (maxNewTokens !== null) {
    if (maxNewTokens <= 0) refuse('max_new_tokens', 'an integer of at least 1', maxNewTokens);
    return promptLength + maxNewTokens;
  }
  if (maxLength === null) return promptLength + Math.min(DEFAULT_NEW_TOKENS, room);
  if (maxLength <= promptLength) {
    refuse('max_length', `more than the prompt's ${promptLength} tokens (or set max_new_tokens)`, maxLength);
  }
  return maxLength;
}

function limit425(maxLength: number | null, maxNewTokens: number | null, context: ParameterContext): number {
  if (maxLength !== null && maxNewTokens !== null) {
    throw new ParameterError(
      'invalid_parameter',
      ['max_length', 'max_new_tokens'],
      `max_new_tokens: expected only one of max_length and max_new_tokens, got ${maxLength} and ${maxNewTokens}`,
    );
  }
  return maxNewTokens === null ? (maxLength ?? DEFAULT_NEW_TOKENS) : context.promptLength + maxNewTokens;
}

function optionalInteger(fields: Fields, name: string): number | null {
  const value = fields.get(name);
  return value === undefined ? null : toInteger(name, value);
}
