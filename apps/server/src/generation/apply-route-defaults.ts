import type { JsonValue } from '@gptj-cloud/pickle';
import { NEVER_SAMPLED, type RouteDefaults, type SamplingRule } from './route-defaults.ts';

export interface RequestSize {
  readonly promptLength: number;
  readonly contextLength: number;
  /** The request has no parameters at all. Default false. */
  readonly withoutParameters?: boolean;
}

const LENGTHS = ['max_new_tokens', 'max_length'] as const;

/**
 * The caller's parameters, under the names of `generate`, and the route's where the caller gives none. The default
 * length is cut to the room that the prompt leaves: it was not asked for, so it is no reason to refuse.
 */
export function applyRouteDefaults(
  defaults: RouteDefaults,
  given: ReadonlyMap<string, JsonValue>,
  { promptLength, contextLength, withoutParameters = false }: RequestSize,
): Map<string, JsonValue> {
  const fields = new Map(Object.entries(defaults.fields));
  const sample = given.get('do_sample') ?? samplesByDefault(defaults, given, withoutParameters);
  if (sample === true) {
    fields.set('do_sample', true);
    for (const [name, value] of Object.entries(defaults.whenSampling)) fields.set(name, value);
  }
  if (defaults.newTokens !== null && !LENGTHS.some((name) => given.has(name))) {
    fields.set('max_new_tokens', Math.max(1, Math.min(defaults.newTokens, contextLength - promptLength)));
  }
  for (const [name, value] of given) fields.set(name, value);
  return fields;
}

/** `do_sample` where the caller does not give it. */
export function samplesByDefault(
  { sample, rules, samplesWithoutParameters }: RouteDefaults,
  given: ReadonlyMap<string, JsonValue>,
  withoutParameters = false,
): boolean {
  if (withoutParameters) return samplesWithoutParameters;
  return [...NEVER_SAMPLED, ...rules].find((rule) => holds(rule, given.get(rule.parameter)))?.sample ?? sample;
}

function holds({ is, value: bound = 0 }: SamplingRule, value: JsonValue | undefined): boolean {
  if (value === undefined) return false;
  if (is === 'given') return true;
  if (typeof value !== 'number') return false;
  if (is === 'above') return value > bound;
  if (is === 'below') return value < bound;
  return (is === 'equal to') === (value === bound);
}
