/**
 * The work that the decoder may do for one generation beside the model's own.
 *
 * Work is counted in steps, not in time, so that the same request is always accepted or always refused. One step is one
 * entry of a row or of a table that is read or written, about a nanosecond; a dearer operation counts as several.
 * Everything that a parameter causes is charged under that parameter's name. An evaluation is one advance of a
 * strategy, which no other generation can interrupt: its limit bounds how long the others wait.
 *
 * `scripts/trials/decoder-cost.mjs` searches for the parameters whose steps take the longest.
 */
import { DecodingError } from './decoding-error.ts';

/** Steps of one evaluation over all its rows: 64 beams over GPT-J's vocabulary take a third of them. */
export const MAX_STEPS_PER_EVALUATION = 120_000_000;
/** Steps of one generation: 64 beams over GPT-J's whole context take three fifths of them. */
export const MAX_STEPS_PER_GENERATION: number = 1000 * MAX_STEPS_PER_EVALUATION;
/** Bytes of the tables and caches that the parameters of one generation need. */
export const MAX_TABLE_BYTES: number = 64 * 2 ** 20;

/** Steps of operations that take longer than reading an entry. */
export const STEPS = {
  /** A look-up in a Map or Set, or an insertion. */
  map: 25,
  /** One exponential of a softmax. */
  exp: 4,
  /** One number of a random generator. */
  random: 8,
  /** One exchange of a permutation. */
  exchange: 14,
  /** `Math.log` or `Math.exp`. */
  log: 25,
} as const;

/** Charges steps to one parameter. Throws `decoding_too_costly` beyond a limit. */
export type Charge = (steps: number) => void;

export interface WorkLimits {
  readonly stepsPerEvaluation: number;
  readonly stepsPerGeneration: number;
  readonly tableBytes: number;
}

export interface WorkBudget {
  /** Begin the next evaluation. Before the first call, the tables of the parameters are built. */
  readonly startEvaluation: () => void;
  /** Count work for a parameter. Throws `decoding_too_costly`, naming the parameter with the largest share. */
  readonly charge: (parameter: string, steps: number) => void;
  /** Count bytes of a table that stays until the generation ends. Throws `decoding_too_costly`. */
  readonly hold: (parameter: string, bytes: number) => void;
  /** Steps of the current evaluation, and of the generation with it. */
  readonly stepsOfEvaluation: () => number;
  readonly stepsOfGeneration: () => number;
  readonly tableBytes: () => number;
  readonly limits: WorkLimits;
}

const DEFAULT_LIMITS: WorkLimits = {
  stepsPerEvaluation: MAX_STEPS_PER_EVALUATION,
  stepsPerGeneration: MAX_STEPS_PER_GENERATION,
  tableBytes: MAX_TABLE_BYTES,
};

/** The budget of one generation. */
export function workBudget(limits: WorkLimits = DEFAULT_LIMITS): WorkBudget {
  let shares = new Map<string, number>();
  const total = new Map<string, number>();
  let evaluation = 0;
  let generation = 0;
  let bytes = 0;
  return {
    limits,
    startEvaluation: () => {
      shares = new Map();
      evaluation = 0;
    },
    charge: (parameter, steps) => {
      shares.set(parameter, (shares.get(parameter) ?? 0) + steps);
      total.set(parameter, (total.get(parameter) ?? 0) + steps);
      evaluation += steps;
      generation += steps;
      if (evaluation > limits.stepsPerEvaluation) {
        throw tooCostly('one step of this generation', 'steps of work', limits.stepsPerEvaluation, evaluation, shares);
      }
      if (generation > limits.stepsPerGeneration) {
        throw tooCostly('this generation', 'steps of work', limits.stepsPerGeneration, generation, total);
      }
    },
    hold: (parameter, added) => {
      bytes += added;
      if (bytes > limits.tableBytes) {
        const held = new Map([[parameter, added]]);
        throw tooCostly('this generation', 'bytes of tables', limits.tableBytes, bytes, held);
      }
    },
    stepsOfEvaluation: () => evaluation,
    stepsOfGeneration: () => generation,
    tableBytes: () => bytes,
  };
}

/** What to change, by parameter; every remedy is followed by the advice to use fewer rows. */
const REMEDIES: Readonly<Record<string, string>> = {
  prefix_allowed_tokens_fn: 'use smaller counts and fewer alternatives in the pattern, or fewer allowed sequences',
  watermarking_config: 'lower greenlist_ratio and context_width, or use the scheme lefthash',
  penalty_alpha: 'lower top_k or shorten the prompt',
  dola_layers: 'name fewer layers',
  typical_p: 'set top_k, which limits the tokens that it sorts, or lower typical_p',
  top_p: 'set top_k, which limits the tokens that it sorts, or lower top_p',
  eos_token_id: 'name fewer ids',
  stop_strings: 'use fewer and shorter stop strings',
  output_scores: 'return fewer scores',
  logprobs: 'lower logprobs',
};

/** How to lower the work of a parameter. */
export function remedyFor(parameter: string): string {
  return `${REMEDIES[parameter] ?? `lower ${parameter}`}, or request fewer beams or sequences`;
}

function tooCostly(
  subject: string,
  unit: string,
  allowed: number,
  came: number,
  shares: ReadonlyMap<string, number>,
): DecodingError {
  const [parameter, share] = [...shares].reduce((largest, entry) => (entry[1] > largest[1] ? entry : largest));
  const show = (count: number) => Math.round(count).toLocaleString('en-US');
  return new DecodingError(
    'decoding_too_costly',
    `${parameter}: ${subject} may take at most ${show(allowed)} ${unit}, got at least ${show(came)}, of which ` +
      `${show(share)} are for ${parameter}; ${remedyFor(parameter)}`,
  );
}
