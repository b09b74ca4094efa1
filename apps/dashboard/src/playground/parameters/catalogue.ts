/** The parameters of a run as the form lists and finds them, from the records with which the server parses them. */
import {
  type CompatVersion,
  describeRunParameters,
  PARAMETER_GROUP_TITLES,
  type ParameterDescription,
  type ParameterGroup,
} from '@gptj-cloud/decoding';

/** Parameters of a run under their wire names. */
export type Parameters = Readonly<Record<string, unknown>>;

export interface ParameterSection {
  readonly id: ParameterGroup | 'none' | 'refused';
  readonly title: string;
  readonly parameters: readonly ParameterDescription[];
}

/** The select of the version shows it, the seed has a field of its own. */
const SHOWN_ELSEWHERE: ReadonlySet<string> = new Set(['compat', 'generation_config']);

const catalogues = new Map<CompatVersion, readonly ParameterDescription[]>();

export function catalogueOf(compat: CompatVersion): readonly ParameterDescription[] {
  const known = catalogues.get(compat) ?? describeRunParameters(compat);
  catalogues.set(compat, known);
  return known;
}

/** The version of transformers that a request behaves like. */
export function compatOf(parameters: Parameters): CompatVersion {
  return parameters.compat === '4.25' ? '4.25' : '5.18';
}

/** The sections of the form, in their order; parameters without effect and refused ones come last. */
export function sectionsOf(compat: CompatVersion): readonly ParameterSection[] {
  const all = catalogueOf(compat).filter(({ name }) => !SHOWN_ELSEWHERE.has(name));
  const acting = Object.entries(PARAMETER_GROUP_TITLES).map(([id, title]): ParameterSection => {
    const parameters = all.filter(({ group, effect }) => group === id && effect === 'acts');
    return { id: id as ParameterGroup, title, parameters };
  });
  const rest = (id: 'none' | 'refused', title: string): ParameterSection => {
    return { id, title, parameters: all.filter(({ effect }) => effect === id) };
  };
  return [...acting, rest('none', 'Accepted without effect'), rest('refused', 'Refused')].filter(
    ({ parameters }) => parameters.length > 0,
  );
}

/** Words that people search for, and stems of the words that names and meanings have for them. */
const RELATED: readonly (readonly [word: string, stems: readonly string[]])[] = [
  ['repeat', ['repet', 'repeat', 'ngram', 'occurs twice']],
  ['loop', ['repet', 'ngram', 'occurs twice']],
  ['random', ['sampl', 'draw', 'seed', 'temperature']],
  ['creative', ['temperature', 'top_p', 'typical', 'min_p']],
  ['determin', ['deterministic', 'seed', 'repeatable', 'identical']],
  ['ban', ['bad_words', 'never', 'forbid', 'suppress']],
  ['forbid', ['bad_words', 'never', 'suppress']],
  ['require', ['force', 'occur', 'constraint']],
  ['format', ['regular', 'prefix_allowed', 'scores_format']],
  ['regex', ['regular']],
  ['nucleus', ['top_p']],
  ['probabilit', ['logprob', 'probab', 'scores']],
  ['stop', ['stop', 'ends the output', 'eos', 'end-of-text']],
  ['short', ['length', 'max_new_tokens', 'response_length']],
  ['long', ['length', 'max_new_tokens', 'response_length', 'min_']],
  ['bias', ['bias', 'sequence_bias']],
  ['cfg', ['guidance']],
  ['watermark', ['watermark', 'green']],
  ['speed', ['speed', 'lookup', 'draft']],
  ['diverse', ['diversity', 'group']],
];

/** The parameters whose name or meaning has every word of `query`, names first. */
export function searchParameters(
  parameters: readonly ParameterDescription[],
  query: string,
): readonly ParameterDescription[] {
  const words = query.trim().toLowerCase().split(/\s+/).slice(0, 8);
  if (words[0] === '' || words[0] === undefined) return parameters;
  const ranked = parameters.flatMap((parameter) => {
    const ranks = words.map((word) => rankOf(parameter, word));
    const worst = Math.max(...ranks);
    return Number.isFinite(worst) ? [{ parameter, rank: worst }] : [];
  });
  return ranked.sort((a, b) => a.rank - b.rank).map(({ parameter }) => parameter);
}

/** 0 for the beginning of the name, Infinity for no match. */
function rankOf({ name, help, group }: ParameterDescription, word: string): number {
  const written = word.replaceAll('-', '_');
  if (name.startsWith(written)) return 0;
  if (name.includes(written)) return 1;
  const stems = RELATED.filter(([known]) => word.startsWith(known) || (word.length > 2 && known.startsWith(word)));
  if (stems.some(([, related]) => related.some((stem) => name.includes(stem)))) return 2;
  const meaning = help.toLowerCase();
  if (meaning.includes(word)) return 3;
  if (stems.some(([, related]) => related.some((stem) => meaning.includes(stem)))) return 4;
  return PARAMETER_GROUP_TITLES[group].toLowerCase().includes(word) ? 5 : Number.POSITIVE_INFINITY;
}
