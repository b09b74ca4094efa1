/**
 * Which alternatives of a token the parameters of a run had removed, and by which of them. The server reports what was
 * removed: a null log-probability after the parameters. The parameter is named by what it can do, and by what the rank of an
 * alternative proves.
 */
import type { TokenFacts } from './token-popover.tsx';

type Parameters = Readonly<Record<string, unknown>>;

/** Filters of sampling, each with the values at which it removes tokens. */
const FILTERS: Readonly<Record<string, (value: number) => boolean>> = {
  top_h: isFraction,
  top_k: (value) => value > 0,
  top_p: (value) => value < 1,
  min_p: (value) => value > 0,
  typical_p: isFraction,
  epsilon_cutoff: isFraction,
  eta_cutoff: isFraction,
};

/** What forbids single tokens, each with the values at which it does. */
const BANS: Readonly<Record<string, (value: unknown) => boolean>> = {
  no_repeat_ngram_size: isPositive,
  encoder_no_repeat_ngram_size: isPositive,
  bad_words_ids: isList,
  bad_words: isList,
  sequence_bias: isSet,
  prefix_allowed_tokens_fn: isSet,
  forced_bos_token_id: isSet,
  forced_eos_token_id: isSet,
  forced_decoder_ids: isList,
  suppress_tokens: isList,
  begin_suppress_tokens: isList,
  logits_processor: isList,
};

/** These forbid tokens that end the text. */
const MIN_LENGTHS = ['min_length', 'min_new_tokens'];
const END_OF_TEXT = 50_256;

/** What may change which token is more likely, beside bans. */
const REORDERING = [
  'guidance_scale',
  'diversity_penalty',
  'encoder_repetition_penalty',
  'repetition_penalty',
  'presence_penalty',
  'frequency_penalty',
  'exponential_decay_length_penalty',
  'watermarking_config',
  'dola_layers',
];

/**
 * Why the alternative at `index` could not be drawn, such as `removed by top_p 0.9`; null where it could, or where that is
 * not known.
 */
export function cutReason(token: TokenFacts, parameters: Parameters, index: number): string | null {
  const alternative = token.top[index];
  if (alternative === undefined || typeof alternative.processed === 'number') return null;
  const bans = Object.keys(BANS).filter((name) => BANS[name]?.(parameters[name]));
  if (isEnd(alternative.id, parameters)) bans.push(...MIN_LENGTHS.filter((name) => isPositive(parameters[name])));
  const filters = parameters.do_sample === false ? [] : actingFilters(parameters);
  const hasOrder = bans.length === 0 && !REORDERING.some((name) => isSet(parameters[name]));
  const verdicts = filters.map((name) => ({
    name,
    removed: hasOrder ? isRemovedBy(name, token, parameters, index) : null,
  }));
  const proven = verdicts.filter(({ removed }) => removed === true);
  if (proven.length > 0) return `removed by ${proven.map(({ name }) => named(name, parameters)).join(' and ')}`;
  if (alternative.processed === undefined) return null;
  const possible = [...bans, ...verdicts.filter(({ removed }) => removed === null).map(({ name }) => name)];
  if (possible.length === 0) return 'removed by the parameters';
  return `removed by ${possible.map((name) => named(name, parameters)).join(' or ')}`;
}

/** Every reason of a token's alternatives once, in their order. */
export function cutReasons(token: TokenFacts, parameters: Parameters): readonly string[] {
  const reasons = token.top.map((_, index) => cutReason(token, parameters, index));
  return [...new Set(reasons.filter((reason) => reason !== null))];
}

function actingFilters(parameters: Parameters): readonly string[] {
  return Object.keys(FILTERS).filter((name) => {
    const value = parameters[name];
    return typeof value === 'number' && (FILTERS[name]?.(value) ?? false);
  });
}

/** Whether a filter removed the alternative, where parameters have not changed the order of tokens; null: not known. */
function isRemovedBy(name: string, { top }: TokenFacts, parameters: Parameters, index: number): boolean | null {
  const value = parameters[name];
  if (typeof value !== 'number') return null;
  if (name === 'top_k') return index >= value;
  if (name !== 'min_p') return null;
  const { temperature = 1, filter_before_temperature: isBefore } = parameters;
  const [best, own] = [top[0]?.logprob ?? null, top[index]?.logprob ?? null];
  if (typeof temperature !== 'number' || best === null || own === null) return null;
  return Math.exp((own - best) / (isBefore === true ? 1 : temperature)) < value;
}

function isEnd(id: number, { eos_token_id: ends }: Parameters): boolean {
  if (Array.isArray(ends)) return ends.includes(id);
  return id === (typeof ends === 'number' ? ends : END_OF_TEXT);
}

/** With its value, where that is short. */
function named(name: string, parameters: Parameters): string {
  const value = parameters[name];
  return typeof value === 'number' ? `${name} ${value}` : name;
}

function isFraction(value: number): boolean {
  return value > 0 && value < 1;
}

function isPositive(value: unknown): boolean {
  return typeof value === 'number' && value > 0;
}

function isList(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0;
}

function isSet(value: unknown): boolean {
  return value !== undefined && value !== null && value !== false;
}
