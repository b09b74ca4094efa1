// The tables of parameters in docs/generate.md, from the records that parse them.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Render one table for each group of parameters, then the names without effect and the refused ones. */
export async function renderParameters(root) {
  const file = join(root, 'packages/decoding/dist/index.js');
  const { describeParameters, PARAMETER_GROUP_TITLES } = await import(pathToFileURL(file).href);
  const parameters = describeParameters();
  const acting = parameters.filter(({ effect }) => effect === 'acts');
  const titles = Object.entries(PARAMETER_GROUP_TITLES).filter(([group]) => acting.some((one) => one.group === group));
  const sections = titles.map(([group, title]) =>
    [
      `### ${title}`,
      '',
      '| parameter | value | default | meaning |',
      '| --- | --- | --- | --- |',
      ...acting.filter((parameter) => parameter.group === group).map(parameterRow),
    ].join('\n'),
  );
  return [...sections, renderRest(parameters)].join('\n\n');
}

function parameterRow(parameter) {
  const marks = [
    ...(parameter.own ? ['ours'] : []),
    ...(parameter.versions.length === 1 ? [`${parameter.versions[0]} only`] : []),
  ];
  const name = `\`${parameter.name}\`${marks.length === 0 ? '' : ` (${marks.join(', ')})`}`;
  return `| ${[name, valueText(parameter), defaultText(parameter), meaning(parameter)].map(escapeCell).join(' | ')} |`;
}

function valueText({ type, min, max, above, choices, form }) {
  if (type === 'boolean') return 'true or false';
  if (type === 'choice') return choices.map((choice) => `\`${JSON.stringify(choice)}\``).join(', ');
  if (type === 'json') return `\`${form}\``;
  const bounds = [
    ...(min === undefined ? [] : [max === undefined ? `at least ${min}` : `${min} to ${max}`]),
    ...(above === undefined ? [] : [`above ${above}`]),
    ...(max === undefined || min !== undefined ? [] : [`up to ${max}`]),
  ];
  return [type, ...bounds].join(', ');
}

function defaultText({ default: fallback, neutral }) {
  if (fallback === undefined) return 'none';
  return `${fallback}${neutral === undefined ? '' : ` (${neutral} switches it off)`}`;
}

function meaning({ help, needsSampling, modes }) {
  if (needsSampling)
    return `${help} Acts only with \`do_sample\`${modes.includes('contrastive') ? ' or in contrastive search' : ''}.`;
  return help;
}

function renderRest(parameters) {
  const names = (effect) => parameters.filter((parameter) => parameter.effect === effect);
  return [
    '### Accepted without effect',
    '',
    'They steer memory or speed of the Python implementation. Each is named in `warnings`:',
    `${names('none')
      .map(({ name }) => `\`${name}\``)
      .join(', ')}.`,
    '',
    '### Refused',
    '',
    '| parameter | reason |',
    '| --- | --- |',
    ...names('refused').map(({ name, help }) => `| \`${name}\` | ${escapeCell(help.replace(/^Refused: /, ''))} |`),
  ].join('\n');
}

function escapeCell(text) {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;');
}
