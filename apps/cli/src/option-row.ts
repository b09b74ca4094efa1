import type { OptionSpec } from './options.ts';

/** Name and description of an option, as help and the documentation show them. */
export function optionRow(option: OptionSpec): readonly [string, string] {
  const short = option.short === undefined ? '' : `-${option.short}, `;
  const name = `${short}--${option.name}${option.value === null ? '' : ` ${option.value}`}`;
  const choices = option.choices === undefined ? '' : `: ${option.choices.join(', ')}`;
  const fallback = option.default === undefined ? '' : ` (default: ${option.default})`;
  return [name, `${option.summary}${choices}${fallback}`];
}
