/**
 * The parameters of transformers' `generate` as options: `top_p` is `--top-p`. The parameter table of `packages/decoding` lists
 * and checks them; this file parses text as JSON.
 */
import {
  describeParameters,
  describeRunParameters,
  PARAMETER_GROUP_TITLES,
  type ParameterDescription,
} from '@gptj-cloud/decoding';
import type { OptionGroup } from './command.ts';
import { nearestName } from './nearest-name.ts';
import { type OptionSpec, type ParsedOptions, type RefusedOption, UsageError } from './options.ts';

/** Short names, and names of llama.cpp, ollama and OpenAI's API with exactly the same meaning. */
const OTHER_NAMES: ReadonlyMap<string, Pick<OptionSpec, 'short' | 'aliases'>> = new Map([
  ['max_new_tokens', { short: 'n', aliases: ['max-tokens', 'num-predict', 'n-predict', 'predict'] }],
  ['temperature', { aliases: ['temp'] }],
  ['seed', { aliases: ['s'] }],
]);

/** Options of llama.cpp, ollama and hf that choose how text is generated and mean something else, or nothing, here. */
export const REFUSED_PARAMETERS: readonly RefusedOption[] = [
  { names: ['t'], answer: 'llama.cpp means threads by it: use --threads N or --temperature X' },
  {
    names: ['repeat-penalty', 'repeat-last-n'],
    answer: 'use --repetition-penalty X, which counts every token of prompt and output',
  },
  { names: ['md', 'model-draft'], answer: 'use --draft-model FILE' },
  { names: ['stop', 'r', 'reverse-prompt'], answer: 'use --stop-strings TEXT; the text keeps the stop string' },
  { names: ['c', 'ctx-size', 'num-ctx', 'ctx'], answer: 'the context is that of the model, 2048 tokens of GPT-J' },
  {
    names: ['ngl', 'gpu-layers', 'n-gpu-layers', 'b', 'ub', 'batch-size'],
    answer: 'see the settings in gptj serve --help',
  },
  {
    names: ['mirostat', 'tfs', 'dry-multiplier', 'xtc-probability'],
    answer: 'that sampler is not one of transformers’',
  },
  { names: ['v', 'verbose'], answer: 'the speeds are always printed; GPTJ_DEBUG=1 prints the stack of an error' },
  { names: ['i', 'interactive', 'cnv', 'conversation', 'chat'], answer: 'use gptj chat' },
  { names: ['sys', 'system', 'system-prompt'], answer: 'GPT-J has no roles: begin the prompt with that text' },
  {
    names: ['hf', 'hfr', 'hf-repo', 'model-url', 'mu'],
    answer: 'download the model, then convert it: gptj convert --help',
  },
  { names: ['stream', 'no-stream'], answer: 'text is printed while it is generated; --json prints the end alone' },
  { names: ['grammar', 'json-schema', 'format', 'j'], answer: 'use --allowed-pattern PATTERN' },
];

/** Parameters as options. */
export interface ParameterOptions {
  /** Help lists the names of those without effect. */
  readonly groups: readonly OptionGroup[];
  /** Wire names of the accepted parameters. */
  readonly names: readonly string[];
  /** The given parameters under their wire names. */
  read(options: ParsedOptions): Readonly<Record<string, unknown>>;
  /** One parameter, whose name may be that of its option. Throws `UsageError` naming the nearest one. */
  parse(name: string, text: string): readonly [wireName: string, value: unknown];
}

/** Those of `generate`: the input of `parseGenerateParameters`. */
export const GENERATE_PARAMETERS: ParameterOptions = parameterOptions(describeParameters());

/** Those of a run of the GPT-J pipeline, of both versions. */
export const RUN_PARAMETERS: ParameterOptions = parameterOptions(
  [
    ...new Map(
      [...describeRunParameters('5.18'), ...describeRunParameters('4.25')]
        .reverse()
        .map((description) => [description.name, description]),
    ).values(),
  ].reverse(),
);

function parameterOptions(descriptions: readonly ParameterDescription[]): ParameterOptions {
  const accepted = descriptions.filter(({ effect }) => effect !== 'refused');
  const acting = accepted.filter(({ effect }) => effect === 'acts');
  const byOption = new Map(accepted.map((description) => [toOptionName(description.name), description]));
  return {
    groups: [
      ...[...new Set(acting.map(({ group }) => group))].map((group) => ({
        title: sentenceStart(PARAMETER_GROUP_TITLES[group]),
        options: acting.filter((description) => description.group === group).map(toOption),
      })),
      {
        title: 'accepted without effect',
        options: accepted.filter(({ effect }) => effect === 'none').map(toOption),
        namesOnly: true,
      },
    ],
    names: accepted.map(({ name }) => name),
    parse(given, text) {
      const name = given.replace(/^--?/, '').replaceAll('_', '-');
      const alias = [...OTHER_NAMES].find(([, { aliases = [] }]) => aliases.includes(name))?.[0];
      const description = byOption.get(alias === undefined ? name : toOptionName(alias));
      if (description !== undefined) return [description.name, parameterValue(description, text)];
      const nearest = nearestName(
        given,
        accepted.map((known) => known.name),
      );
      throw new UsageError(`no parameter ${given}${nearest === null ? '' : `; did you mean ${nearest}?`}`);
    },
    read: (options) =>
      Object.fromEntries(
        [...options.values].flatMap(([name, text]): [string, unknown][] => {
          const description = byOption.get(name);
          return description === undefined ? [] : [[description.name, parameterValue(description, text)]];
        }),
      ),
  };
}

/** A heading within a sentence: names such as DoLa keep their capitals. */
function sentenceStart(title: string): string {
  return title.charAt(0).toLowerCase() + title.slice(1);
}

function toOptionName(name: string): string {
  return name.replaceAll('_', '-');
}

function toOption(description: ParameterDescription): OptionSpec {
  // Without a value a switch is off.
  const isOff = description.type === 'boolean' && description.default === false;
  const fallback = isOff ? undefined : description.default;
  return {
    name: toOptionName(description.name),
    ...OTHER_NAMES.get(description.name),
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
