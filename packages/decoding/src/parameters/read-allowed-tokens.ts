import type { AllowedTokens } from '../generate-config.ts';
import { ParameterError } from '../parameter-error.ts';
import { byteAutomaton } from '../regex/byte-automaton.ts';
import { parsePattern } from '../regex/parse-pattern.ts';
import { LIMITS, type ParameterContext } from './parameter-context.ts';
import {
  type Fields,
  refuse,
  refuseUnknownFields,
  toBoolean,
  toFields,
  toList,
  toTokenIds,
  toWellFormed,
} from './read-value.ts';
import { limitTotal } from './token-lists.ts';

/** `prefix_allowed_tokens_fn` in its declarative forms; null when absent. */
export function readAllowedTokens(fields: Fields, context: ParameterContext): AllowedTokens | null {
  const name = 'prefix_allowed_tokens_fn';
  const value = fields.get(name);
  if (value === undefined) return null;
  const form = toFields(name, value);
  if (form.has('regex')) {
    refuseUnknownFields(name, form, ['regex']);
    const pattern = toWellFormed(name, form.get('regex'), 'regex to be a string');
    if (pattern.length > LIMITS.patternLength) {
      throw new ParameterError(
        'limit_exceeded',
        [name],
        `${name}: a pattern may have at most ${LIMITS.patternLength} characters, got ${pattern.length}`,
      );
    }
    // A pattern that is invalid or too large is refused here, before decoding.
    byteAutomaton(parsePattern(pattern));
    return { type: 'regex', pattern, vocabSize: context.vocabSize };
  }
  refuseUnknownFields(name, form, ['allowed_sequences', 'after_prompt']);
  const sequences = toList(
    name,
    form.get('allowed_sequences'),
    'an object {"allowed_sequences": [[token ids], …], "after_prompt": true} or {"regex": "…"}',
    LIMITS.listEntries,
  ).map((sequence) => toTokenIds(name, sequence, context.vocabSize, context.contextLength));
  if (sequences.length === 0) refuse(name, 'at least one allowed sequence', value);
  limitTotal(name, sequences);
  return { type: 'sequences', sequences, afterPrompt: toBoolean(name, form.get('after_prompt') ?? false) };
}
