/**
 * The parameters of transformers' `generate` as options: `top_p` is `--top-p`. Which values are good is the decoding
 * room's business; here they are only turned from text into JSON.
 */
import type { OptionGroup } from './command.ts';
import type { OptionSpec, ParsedOptions } from './options.ts';

/** Options whose value is text even where it looks like a number (`--compat 4.25`). */
const TEXT_OPTIONS: ReadonlySet<string> = new Set(['compat', 'stop-strings', 'bad-words', 'force-words']);

export const PARAMETER_GROUPS: readonly OptionGroup[] = [
  {
    title: 'length',
    options: [
      {
        name: 'max-new-tokens',
        short: 'n',
        value: 'N',
        summary: 'maximum number of tokens to generate',
        default: '20',
      },
      { name: 'max-length', value: 'N', summary: 'maximum length of prompt and output together' },
      { name: 'min-new-tokens', value: 'N', summary: 'no end of text before that many generated tokens' },
      { name: 'min-length', value: 'N', summary: 'the same, prompt included', default: '0' },
      { name: 'max-time', value: 'SECONDS', summary: 'stop after the step in which this time has passed' },
      { name: 'stop-strings', value: 'TEXT', summary: 'stop once this text, or one of a JSON list of texts, appears' },
    ],
  },
  {
    title: 'sampling',
    options: [
      { name: 'do-sample', value: null, summary: 'draw tokens at random instead of taking the likeliest' },
      { name: 'temperature', short: 't', value: 'X', summary: 'below 1 surer, above 1 wilder', default: '1.0' },
      { name: 'top-k', value: 'N', summary: 'draw from the N likeliest; 0 from all', default: '50' },
      { name: 'top-p', value: 'X', summary: 'draw from the likeliest that make up probability X', default: '1.0' },
      { name: 'min-p', value: 'X', summary: 'drop tokens below X times the likeliest' },
      { name: 'top-h', value: 'X', summary: 'keep tokens up to X of the entropy' },
      { name: 'typical-p', value: 'X', summary: 'draw from the tokens of typical surprise', default: '1.0' },
      { name: 'epsilon-cutoff', value: 'X', summary: 'drop tokens below this probability', default: '0' },
      { name: 'eta-cutoff', value: 'X', summary: 'the same, adapted to the entropy', default: '0' },
      { name: 'seed', value: 'N', summary: 'draw the same tokens each time', default: 'a fresh one' },
      { name: 'num-return-sequences', value: 'N', summary: 'give N continuations', default: '1' },
    ],
  },
  {
    title: 'other ways to decode',
    options: [
      { name: 'num-beams', value: 'N', summary: 'beam search with N beams', default: '1' },
      { name: 'num-beam-groups', value: 'N', summary: 'split the beams into groups that keep apart', default: '1' },
      { name: 'diversity-penalty', value: 'X', summary: 'how far apart the groups keep', default: '0' },
      { name: 'length-penalty', value: 'X', summary: 'beams: above 0 favours long ones', default: '1.0' },
      { name: 'early-stopping', value: 'true|false|never', summary: 'beams: when to stop looking', default: 'false' },
      { name: 'penalty-alpha', value: 'X', summary: 'contrastive search, together with --top-k' },
      { name: 'dola-layers', value: 'low|high|JSON', summary: 'contrast with early layers (reference engine)' },
      { name: 'guidance-scale', value: 'X', summary: 'above 1 follows the prompt more closely (twice the work)' },
      { name: 'negative-prompt-ids', value: 'JSON', summary: 'what guidance leads away from' },
      { name: 'prompt-lookup-num-tokens', value: 'N', summary: 'guess ahead from the prompt; same text, sooner' },
      { name: 'max-matching-ngram-size', value: 'N', summary: 'longest match for those guesses', default: '2' },
    ],
  },
  {
    title: 'repetition, forbidden and wanted words',
    options: [
      { name: 'repetition-penalty', value: 'X', summary: 'above 1 avoids tokens already there', default: '1.0' },
      {
        name: 'encoder-repetition-penalty',
        value: 'X',
        summary: 'above 1 favours tokens of the prompt',
        default: '1.0',
      },
      { name: 'no-repeat-ngram-size', value: 'N', summary: 'no run of N tokens twice', default: '0' },
      { name: 'encoder-no-repeat-ngram-size', value: 'N', summary: 'no run of N tokens of the prompt', default: '0' },
      { name: 'bad-words', value: 'JSON', summary: 'texts that must not occur' },
      { name: 'bad-words-ids', value: 'JSON', summary: 'the same as lists of token ids' },
      { name: 'force-words', value: 'JSON', summary: 'texts that must occur (with beams)' },
      { name: 'force-words-ids', value: 'JSON', summary: 'the same as lists of token ids' },
      { name: 'constraints', value: 'JSON', summary: 'phrases that must occur, in the long form' },
      { name: 'sequence-bias', value: 'JSON', summary: '[[ids, bias], …] added to the scores' },
      { name: 'suppress-tokens', value: 'JSON', summary: 'ids never to generate' },
      { name: 'begin-suppress-tokens', value: 'JSON', summary: 'ids not to begin with' },
      { name: 'prefix-allowed-tokens-fn', value: 'JSON', summary: 'only these sequences, or a regular expression' },
      { name: 'exponential-decay-length-penalty', value: 'JSON', summary: '[start, factor]: press for an end' },
      { name: 'watermarking-config', value: 'JSON', summary: 'mark the text as generated' },
    ],
  },
];

/** Parameters that few need at a terminal; help names them without explaining. */
export const RARE_PARAMETERS: readonly OptionSpec[] = [
  ...switches(
    'renormalize-logits',
    'remove-invalid-values',
    'token-healing',
    'deterministic',
    'use-cache',
    'output-scores',
    'output-logits',
    'output-attentions',
    'output-hidden-states',
    'return-dict-in-generate',
    'low-memory',
    'synced-gpus',
    'trust-remote-code',
    'use-model-defaults',
    'return-legacy-cache',
    'disable-compile',
    'is-assistant',
  ),
  ...values(
    'compat',
    'eos-token-id',
    'pad-token-id',
    'bos-token-id',
    'forced-bos-token-id',
    'forced-eos-token-id',
    'forced-decoder-ids',
    'negative-prompt-attention-mask',
    'logits-processor',
    'stopping-criteria',
    'generation-config',
    'logprobs',
    'prompt-logprobs',
    'scores-format',
    'attention-mask',
    'num-assistant-tokens',
    'num-assistant-tokens-schedule',
    'assistant-confidence-threshold',
    'assistant-early-exit',
    'assistant-lookbehind',
    'target-lookbehind',
    'assistant-ensemble-weight',
    'cache-implementation',
    'cache-config',
    'max-cache-len',
    'prefill-chunk-size',
    'compile-config',
    'continuous-batching-config',
  ),
];

const NAMES: ReadonlySet<string> = new Set(
  [...PARAMETER_GROUPS.flatMap((group) => group.options), ...RARE_PARAMETERS].map(({ name }) => name),
);

/** The parameters that were given, under their wire names: what `parseGenerateParameters` checks. */
export function generateParameters(options: ParsedOptions): Readonly<Record<string, unknown>> {
  const given = [...options.values].filter(([name]) => NAMES.has(name));
  return Object.fromEntries(given.map(([name, text]) => [name.replaceAll('-', '_'), parameterValue(name, text)]));
}

/** JSON where it is JSON, else the text as typed: `0.7`, `true`, `[[1, 2]]`, `never`. */
function parameterValue(name: string, text: string): unknown {
  if (TEXT_OPTIONS.has(name) && !/^\s*[[{]/.test(text)) return text;
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    return text;
  }
}

function switches(...names: readonly string[]): OptionSpec[] {
  return names.map((name) => ({ name, value: null, summary: '' }));
}

function values(...names: readonly string[]): OptionSpec[] {
  return names.map((name) => ({ name, value: 'JSON', summary: '' }));
}
