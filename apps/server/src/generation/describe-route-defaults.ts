import { NEVER_SAMPLED, type RouteDefaults, type SamplingRule } from './route-defaults.ts';

const GENERATE_NEW_TOKENS = '20, as `generate`';

/** The table of docs/api.md, in Markdown. */
export function routeDefaultsTable(routes: readonly RouteDefaults[]): string {
  const rows = routes.map((route) => [
    route.routes.map((name) => `\`${name}\``).join(', '),
    route.newTokens === null ? GENERATE_NEW_TOKENS : String(route.newTokens),
    describeSampling(route),
    describeFilters(route),
    route.showsPrompt ? 'yes' : 'no',
  ]);
  const header = ['route', 'new tokens', 'samples', 'when sampling', 'prompt in the text'];
  return [header, header.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** The parameters that keep every route from sampling, as a list in Markdown. */
export function neverSampled(): string {
  return NEVER_SAMPLED.map(describeRule).join(', ');
}

function describeSampling({ sample, rules, samplesWithoutParameters }: RouteDefaults): string {
  const exceptions = rules.filter((rule) => rule.sample !== sample).map(describeRule);
  if (samplesWithoutParameters && !sample) exceptions.push('no parameters at all');
  const answer = sample ? 'yes' : 'no';
  return exceptions.length === 0 ? answer : `${answer}; ${sample ? 'no' : 'yes'} with ${exceptions.join(', ')}`;
}

function describeRule({ parameter, is, value }: SamplingRule): string {
  return is === 'given' ? `\`${parameter}\`` : `\`${parameter}\` ${is} ${value}`;
}

/** `generate` keeps the 50 likeliest tokens unless `top_k` says otherwise. */
function describeFilters({ whenSampling }: RouteDefaults): string {
  const shaping = { top_k: 50, ...whenSampling };
  return Object.entries(shaping)
    .map(([name, value]) => `\`${name}\` ${JSON.stringify(value)}`)
    .join(', ');
}
