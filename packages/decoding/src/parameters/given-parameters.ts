import type { ParameterContext } from './parameter-context.ts';
import { roomLeft } from './read-lengths.ts';
import { type Fields, refuse, toBoolean, toFields } from './read-value.ts';

/**
 * The parameters that a request gives, by wire name: its own fields and those of its `generation_config`, of which the
 * former take precedence. `null` means absent. Names and values are not checked. Throws `ParameterError` when either is
 * not an object.
 */
export function givenParameters(input: unknown): Fields {
  const given = toFields('parameters', input ?? {});
  if (!given.has('generation_config')) return given;
  const inner = toFields('generation_config', given.get('generation_config'));
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

/** `given` merged over a route's defaults. A default length is reduced to the free context. */
export function withDefaults(given: Fields, context: ParameterContext): Fields {
  const fields = new Map(given);
  for (const [name, value] of toFields('defaults', context.defaults ?? {})) {
    const alternatives = ALTERNATIVES.find((names) => names.includes(name)) ?? [name];
    if (alternatives.some((alternative) => given.has(alternative))) continue;
    fields.set(name, typeof value === 'number' ? cutToRoom(name, value, given, context) : value);
  }
  return fields;
}

function cutToRoom(name: string, value: number, given: Fields, context: ParameterContext): number {
  const room = Math.max(1, roomLeft(given, context));
  if (name === 'max_new_tokens') return Math.min(value, room);
  if (name === 'max_length') return Math.min(value, context.promptLength + room);
  return value;
}
