// The table of each route's defaults in docs/api.md, from the records that the routes use.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Render one row for each route, and the parameters that exclude sampling on every route. */
export async function renderRouteDefaults(root) {
  const file = join(root, 'apps/server/dist/generation/route-defaults.js');
  const { ROUTE_DEFAULTS } = await import(pathToFileURL(file).href);
  const decoding = join(root, 'packages/decoding/dist/index.js');
  const { NEVER_SAMPLED } = await import(pathToFileURL(decoding).href);
  const rows = Object.values(ROUTE_DEFAULTS).map((route) => [
    route.routes.map((name) => `\`${name}\``).join(', '),
    route.newTokens === null ? '20, as `generate`' : String(route.newTokens),
    describeSampling(route),
    describeFilters(route),
    route.showsPrompt ? 'yes' : 'no',
  ]);
  const header = ['route', 'new tokens', 'samples', 'when sampling', 'prompt in the text'];
  return [
    ...[header, header.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`),
    '',
    `No route samples by default with ${NEVER_SAMPLED.map(describeRule).join(', ')}: these modes exclude sampling.`,
  ].join('\n');
}

function describeSampling({ sample, rules, samplesWithoutParameters }) {
  const exceptions = rules.filter((rule) => rule.sample !== sample).map(describeRule);
  if (samplesWithoutParameters && !sample) exceptions.push('no parameters at all');
  const answer = sample ? 'yes' : 'no';
  return exceptions.length === 0 ? answer : `${answer}; ${sample ? 'no' : 'yes'} with ${exceptions.join(', ')}`;
}

function describeRule({ parameter, is, value }) {
  return is === 'given' ? `\`${parameter}\`` : `\`${parameter}\` ${is} ${value}`;
}

/** `generate` keeps the 50 likeliest tokens unless `top_k` is given. */
function describeFilters({ whenSampling }) {
  return Object.entries({ top_k: 50, ...whenSampling })
    .map(([name, value]) => `\`${name}\` ${JSON.stringify(value)}`)
    .join(', ');
}
