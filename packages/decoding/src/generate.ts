import type { TokenId } from '@gptj-cloud/model';
import { allowedNextOf } from './allowed-next.ts';
import type { GenerateConfig } from './generate-config.ts';
import type { GenerateOutcome } from './generate-outcome.ts';
import { guesser } from './guesser.ts';
import { buildLogitsProcessors } from './logits-processor-list.ts';
import { freshSeed, type NoiseSource, seededNoise } from './noise.ts';
import { type Argmax, argmax } from './numerics/argmax.ts';
import { PARAMETERS } from './parameters/parameter-table.ts';
import { scoreRecorder } from './score-recorder.ts';
import { stopRuleOf } from './stopping/stop-rule-of.ts';
import { beamSearch } from './strategies/beam-search.ts';
import { constrainedBeamSearch } from './strategies/constrained-beam-search.ts';
import { contrastive } from './strategies/contrastive.ts';
import type { Decoding } from './strategies/decoding.ts';
import { heapBeamSearch } from './strategies/heap-beam-search.ts';
import { runSearches } from './strategies/run-searches.ts';
import { sample } from './strategies/sample.ts';
import { scorePrompt } from './strategies/score-prompt.ts';
import { speculative } from './strategies/speculative.ts';
import type { Strategy } from './strategy.ts';
import { type WorkBudget, workBudget } from './work-budget.ts';

/** A prompt and the parameters parsed for its length. */
export interface GenerateRequest {
  /** At least one token. */
  readonly prompt: readonly TokenId[];
  readonly config: GenerateConfig;
}

export interface GenerateDependencies {
  /** Milliseconds from any fixed start, for `max_time`. */
  readonly clock: () => number;
  /** Default: `seededNoise` of the configuration's seed, or of a fresh one. */
  readonly noise?: NoiseSource;
  /** Bytes of a token; needed for stop strings and regular expressions. */
  readonly tokenBytes?: (token: TokenId) => Uint8Array;
  /** Counts and bounds the work. Default: `workBudget()`. */
  readonly budget?: WorkBudget;
  /** Finds the largest score of a row. Default: in JavaScript. */
  readonly argmax?: Argmax;
}

/**
 * `generate` of transformers as a generator of score requests (see `Strategy`): the driver scores rows, the strategy chooses
 * tokens. `max_time` counts from this call.
 *
 * Throws `DecodingError`: `missing_dependency` at once; `no_possible_token` while running, when the parameters leave
 * no token to choose; `decoding_too_costly` at once or while running, when they need more work than a generation may take.
 */
export function generate(
  { prompt, config }: GenerateRequest,
  dependencies: GenerateDependencies,
): Strategy<GenerateOutcome> {
  const seed = config.seed ?? freshSeed();
  const budget = dependencies.budget ?? workBudget();
  const { clock, noise = seededNoise(seed), tokenBytes } = dependencies;
  const stop = stopRuleOf({ prompt, config }, { clock, budget, ...(tokenBytes === undefined ? {} : { tokenBytes }) });
  const decoding: Decoding = {
    prompt,
    config,
    processors: buildLogitsProcessors(
      config,
      prompt,
      allowedNextOf(config, prompt, tokenBytes, budget),
      PARAMETERS,
      budget,
    ),
    stop,
    noise,
    recorder: scoreRecorder(config, budget),
    budget,
    argmax: dependencies.argmax ?? argmax,
    guess: guesser({ prompt, config, noise, ...(tokenBytes === undefined ? {} : { tokenBytes }) }),
  };
  const strategy = inEvaluations(selectStrategy(decoding), budget);
  return config.doSample && dependencies.noise === undefined ? withSeed(strategy, seed) : strategy;
}

function selectStrategy(decoding: Decoding): Strategy<GenerateOutcome> {
  const { mode, compat, numReturnSequences, guidanceScale } = decoding.config;
  switch (mode) {
    case 'greedy':
    case 'sample':
      // With guidance a draft would have to be scored twice, which costs more than it saves.
      return guidanceScale !== 1 || numReturnSequences > 1 ? sample(decoding) : speculative(decoding);
    case 'beam':
      return runSearches(decoding, [compat === '4.25' ? heapBeamSearch(decoding, 0) : beamSearch(decoding)]);
    case 'beam-sample': {
      if (compat === '5.18') return runSearches(decoding, [beamSearch(decoding)]);
      const searches = Array.from({ length: numReturnSequences }, (_, stream) => heapBeamSearch(decoding, stream));
      return runSearches(decoding, searches);
    }
    case 'group':
      return runSearches(decoding, [heapBeamSearch(decoding, 0)]);
    case 'constrained':
      return runSearches(decoding, [constrainedBeamSearch(decoding)]);
    case 'contrastive':
      return contrastive(decoding);
    case 'dola':
      return sample(decoding);
    case 'score':
      return scorePrompt(decoding);
    default:
      return mode satisfies never;
  }
}

/** Count the work of each advance of the strategy as one evaluation. */
function* inEvaluations(strategy: Strategy<GenerateOutcome>, budget: WorkBudget): Strategy<GenerateOutcome> {
  budget.startEvaluation();
  let turn = strategy.next();
  while (turn.done !== true) {
    const result = yield turn.value;
    budget.startEvaluation();
    turn = strategy.next(result);
  }
  return turn.value;
}

/** Add the seed that reproduces the outcome. */
function* withSeed(strategy: Strategy<GenerateOutcome>, seed: number): Strategy<GenerateOutcome> {
  const outcome = yield* strategy;
  return { ...outcome, seed };
}
