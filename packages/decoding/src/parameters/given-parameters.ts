import type { ModelContext, ParameterContext } from './parameter-context.ts';
import { roomLeft } from './read-lengths.ts';
import { type Fields, refuse, toBoolean, toFields } from './read-value.ts';
import { createRequestSize } from './request-size.ts';

/**
 * The parameters that a request gives, by wire name: its own fields and those of its `generation_config`, of which the
 * former take precedence. `null` means absent. The size of the whole is checked, names and values are not. Throws
 * `ParameterError` when either is not an object, and `limit_exceeded`.
 */
export function givenParameters(input: unknown): Fields {
  const given = toFields('parameters', input ?? {});
  const size = createRequestSize();
  for (const [name, value] of given) if (name !== 'generation_config') size.add(name, value);
  if (!given.has('generation_config')) return given;
  const inner = toFields('generation_config', given.get('generation_config'));
  for (const [name, value] of inner) size.add(name, value);
  if (inner.has('generation_config')) refuse('generation_config', 'no further generation_config inside', '{…}');
  if (inner.has('compat')) refuse('compat', 'to stand beside generation_config', 'it inside');
  return new Map([...inner, ...given]);
}

/**
 * Whether special tokens in the texts of a request are plain text (`split_special_tokens`), for callers that tokenise
 * the prompt before they parse its parameters. Throws `ParameterError`.
 */
export function readSplitSpecialTokens(input: unknown): boolean {
  const name = 'split_special_tokens';
  return toBoolean(name, givenParameters(input).get(name) ?? false);
}

/** Mutually exclusive parameters: either one in the request replaces the default of the other. */
const ALTERNATIVES: readonly (readonly string[])[] = [
  ['max_new_tokens', 'max_length'],
  ['min_new_tokens', 'min_length'],
];

/** `given` merged over a route's defaults. */
export function withDefaults(given: Fields, { defaults = {} }: ModelContext): Fields {
  const fields = new Map(given);
  for (const [name, value] of toFields('defaults', defaults)) if (!isReplaced(name, given)) fields.set(name, value);
  return fields;
}

/** The same for one prompt: a default length is reduced to the free context. */
export function withDefaultsForPrompt(fields: Fields, given: Fields, context: ParameterContext): Fields {
  const { defaults = {} } = context;
  const lengths = LENGTHS.filter((name) => typeof defaults[name] === 'number' && !isReplaced(name, given));
  if (lengths.length === 0) return fields;
  const room = Math.max(1, roomLeft(given, context));
  const cut = new Map(fields);
  for (const name of lengths) {
    const limit = name === 'max_new_tokens' ? room : context.promptLength + room;
    cut.set(name, Math.min(Number(defaults[name]), limit));
  }
  return cut;
}

const LENGTHS = ['max_new_tokens', 'max_length'] as const;

function isReplaced(name: string, given: Fields): boolean {
  const alternatives = ALTERNATIVES.find((names) => names.includes(name)) ?? [name];
  return alternatives.some((alternative) => given.has(alternative));
}
