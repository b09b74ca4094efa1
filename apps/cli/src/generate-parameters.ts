/**
 * The parameters of transformers' `generate` as options: `top_p` is `--top-p`. The parameter table of `packages/decoding` lists
 * and checks them; this file parses text as JSON.
 */
import { describeParameters, PARAMETER_GROUP_TITLES, type ParameterDescription } from '@gptj-cloud/decoding';
import type { OptionGroup } from './command.ts';
import type { OptionSpec, ParsedOptions } from './options.ts';

const SHORT_NAMES: ReadonlyMap<string, string> = new Map([
  ['max_new_tokens', 'n'],
  ['temperature', 't'],
]);

const ACCEPTED = describeParameters().filter(({ effect }) => effect !== 'refused');
const BY_OPTION: ReadonlyMap<string, ParameterDescription> = new Map(
  ACCEPTED.map((description) => [toOptionName(description.name), description]),
);

const ACTING = ACCEPTED.filter(({ effect }) => effect === 'acts');

/** Every parameter as an option, in groups. Help lists the names of those without effect. */
export const PARAMETER_GROUPS: readonly OptionGroup[] = [
  ...[...new Set(ACTING.map(({ group }) => group))].map((group) => ({
    title: sentenceStart(PARAMETER_GROUP_TITLES[group]),
    options: ACTING.filter((description) => description.group === group).map(toOption),
  })),
  {
    title: 'accepted without effect',
    options: ACCEPTED.filter(({ effect }) => effect === 'none').map(toOption),
    namesOnly: true,
  },
];

/** A heading within a sentence: names such as DoLa keep their capitals. */
function sentenceStart(title: string): string {
  return title.charAt(0).toLowerCase() + title.slice(1);
}

/** The given parameters under their wire names: the input of `parseGenerateParameters`. */
export function generateParameters(options: ParsedOptions): Readonly<Record<string, unknown>> {
  const given: [string, unknown][] = [];
  for (const [name, text] of options.values) {
    const description = BY_OPTION.get(name);
    if (description !== undefined) given.push([description.name, parameterValue(description, text)]);
  }
  return Object.fromEntries(given);
}

function toOptionName(name: string): string {
  return name.replaceAll('_', '-');
}

function toOption(description: ParameterDescription): OptionSpec {
  const short = SHORT_NAMES.get(description.name);
  // Without a value a switch is off.
  const isOff = description.type === 'boolean' && description.default === false;
  const fallback = isOff ? undefined : description.default;
  return {
    name: toOptionName(description.name),
    ...(short === undefined ? {} : { short }),
    value: valueName(description),
    summary: description.help.replace(/\.$/, ''),
    ...(fallback === undefined ? {} : { default: String(fallback) }),
  };
}

/** Placeholder of the value in help; null for a switch. */
function valueName({ type, choices, form }: ParameterDescription): string | null {
  switch (type) {
    case 'boolean':
      return null;
    case 'integer':
      return 'N';
    case 'number':
      return 'X';
    case 'choice':
      return choices?.join('|') ?? 'NAME';
    case 'json':
      return form?.startsWith('"text"') === true ? 'TEXT' : 'JSON';
    default:
      return type satisfies never;
  }
}

/** The text parsed as JSON if valid, else the text: `0.7`, `true`, `[[1, 2]]`, `never`. */
function parameterValue(description: ParameterDescription, text: string): unknown {
  if (isText(description) && !/^\s*[[{]/.test(text)) return text;
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    return text;
  }
}

/** Whether the value is a string even if it looks like a number (`--compat 4.25`). */
function isText({ choices, form }: ParameterDescription): boolean {
  return choices?.every((choice) => typeof choice === 'string') ?? form?.includes('"text"') === true;
}
