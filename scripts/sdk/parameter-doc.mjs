// One paragraph about a parameter of a run, for the comments of its types.

/** Parameters whose default in a run follows rules of the pipeline. */
function runDefault({ name, default: fallback }, defaults) {
  if (name !== 'do_sample') return fallback;
  const rules = defaults.rules.filter(({ is, sample }) => is === 'given' && sample !== defaults.sample);
  return `${defaults.sample}; ${!defaults.sample} with ${rules.map(({ parameter }) => parameter).join(', ')}`;
}

/** `defaults`: RUN_DEFAULTS of the pipeline. */
export function parameterDoc(one, defaults) {
  const { help, effect, needsSampling, otherwise, versions, neutral } = one;
  if (effect === 'refused') return /^Refused/.test(help) ? help : 'Refused: a run does not take it.';
  const only = versions.length === 1 ? [`Only with compat ${versions[0]}.`] : [];
  if (effect === 'none') return [help, ...only].join(' ');
  const fallback = runDefault(one, defaults);
  return [
    help,
    ...rangeOf(one),
    ...(fallback === undefined
      ? []
      : [`Default: ${fallback}${neutral === undefined ? '' : `; ${neutral} disables it`}.`]),
    ...(needsSampling ? ['It acts only with sampling.'] : otherwise === undefined ? [] : [sentence(otherwise)]),
    ...only,
  ].join(' ');
}

function rangeOf({ type, min, max, above }) {
  if (type !== 'integer' && type !== 'number') return [];
  const from = above === undefined ? (min === undefined ? '' : ` of at least ${min}`) : ` above ${above}`;
  const bounds = max === undefined ? from : min === undefined ? `${from}, at most ${max}` : ` from ${min} to ${max}`;
  return type === 'number' && bounds === '' ? [] : [`${type === 'integer' ? 'Integer' : 'Number'}${bounds}.`];
}

function sentence(text) {
  return `${text[0].toUpperCase()}${text.slice(1)}.`;
}
