import type { JsonValue } from '@gptj-cloud/pickle';
import { NEVER_SAMPLED, type RouteDefaults, type SamplingRule } from './route-defaults.ts';

export interface ChosenDefaults {
  /** Whether the request samples: by its own `do_sample`, or by the route's rules. */
  readonly sampling: boolean;
  /** The route's values of parameters, for those that the request does not give. */
  readonly fields: Readonly<Record<string, JsonValue>>;
}

/**
 * The defaults of a route for one request. `given`: the parameters that the caller gave, under the names of `generate`,
 * those of its `generation_config` among them. `withoutParameters`: the request has no `parameters` object.
 */
export function chooseDefaults(
  route: RouteDefaults,
  given: ReadonlyMap<string, JsonValue>,
  withoutParameters = false,
): ChosenDefaults {
  const sampling = (given.get('do_sample') ?? samplesByDefault(route, given, withoutParameters)) === true;
  const fields = {
    ...route.fields,
    ...(sampling ? { ...route.whenSampling, do_sample: true } : {}),
    ...(route.newTokens === null ? {} : { max_new_tokens: route.newTokens }),
  };
  return { sampling, fields };
}

function samplesByDefault(
  { sample, rules, samplesWithoutParameters }: RouteDefaults,
  given: ReadonlyMap<string, JsonValue>,
  withoutParameters: boolean,
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
