import type { AllowedTokens } from '../generate-config.ts';
import { ParameterError } from '../parameter-error.ts';
import { parsePattern } from '../regex/parse-pattern.ts';
import { toBytePattern } from '../regex/pattern-states.ts';
import { LIMITS, type ModelContext } from './parameter-context.ts';
import { toTokenIds, toWordList } from './read-list.ts';
import { type Fields, refuse, refuseUnknownFields, toBoolean, toFields, toWellFormed } from './read-value.ts';

const SEQUENCES = {
  what: 'an object {"allowed_sequences": [[token ids], …], "after_prompt": true} or {"regex": "…"}',
  max: LIMITS.listEntries,
  maxIds: LIMITS.totalIds,
};

/** `prefix_allowed_tokens_fn` in its declarative forms; null when absent. */
export function readAllowedTokens(fields: Fields, context: ModelContext): AllowedTokens | null {
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
    (context.checkPattern ?? checkPattern)(pattern);
    return { type: 'regex', pattern, vocabSize: context.vocabSize };
  }
  refuseUnknownFields(name, form, ['allowed_sequences', 'after_prompt']);
  const sequences = toWordList(name, form.get('allowed_sequences'), SEQUENCES, (sequence) =>
    toTokenIds(name, sequence, context.vocabSize, context.contextLength),
  );
  if (sequences.length === 0) refuse(name, 'at least one allowed sequence', value);
  return { type: 'sequences', sequences, afterPrompt: toBoolean(name, form.get('after_prompt') ?? false) };
}

/** Measures a regular expression. Throws `ParameterError` for one that is invalid or too large. */
export function checkPattern(pattern: string): void {
  toBytePattern(parsePattern(pattern));
}
