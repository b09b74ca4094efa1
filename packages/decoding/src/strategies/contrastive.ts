import type { TokenId } from '@gptj-cloud/model';
import type { GenerateOutcome, TokenReport } from '../generate-outcome.ts';
import { applyLogitsProcessors } from '../logits-processor-list.ts';
import { noPossibleToken } from '../numerics/argmax.ts';
import { logSumExp } from '../numerics/log-softmax.ts';
import { Ranking } from '../numerics/ranking.ts';
import type { Row, Strategy } from '../strategy.ts';
import { reportToken } from '../token-report.ts';
import { STEPS } from '../work-budget.ts';
import { chargeRows, type Decoding } from './decoding.ts';
import { scoreInChunks } from './rows.ts';
import { outcomeOf, startRows, toFinalTokens } from './sample.ts';

interface Candidate {
  readonly token: TokenId;
  readonly probability: number;
}

const ranking = new Ranking();
/** Steps of one value of a vector that is scaled to length 1. */
const NORM_STEPS = 16;

/**
 * Contrastive search (arXiv 2202.06417, the loop of transformers 4.24): of the `top_k` likeliest tokens choose the one
 * that maximises
 * (1 - alpha) * probability - alpha * largest cosine similarity.
 *
 * Each candidate is scored one step ahead for its hidden state, so the logits of the chosen one are already known.
 */
export function* contrastive(decoding: Decoding): Strategy<GenerateOutcome> {
  const { prompt, config, stop, recorder, budget } = decoding;
  const { penaltyAlpha, output } = config;
  const row = startRows(decoding)[0]!;
  const context: Float32Array[] = [];
  const promptLogprobs: TokenReport[] = [];
  const prefilled = yield* scoreInChunks(prompt, [], { hidden: true }, ({ logits, hidden }, start) => {
    context.push(...hidden.map(toUnitVector));
    for (const { length, byteLength } of hidden) {
      budget.charge('penalty_alpha', NORM_STEPS * length);
      budget.hold('penalty_alpha', byteLength);
    }
    for (const [at, scored] of logits.entries()) {
      const next = prompt[start + at + 1];
      if (next !== undefined && output.promptLogprobs !== null) {
        promptLogprobs.push(reportToken(scored, next, output.promptLogprobs, budget));
      }
    }
  });
  // Copied: candidates are scored before the report on this row is made.
  let logits = prefilled[0]!.logits[0]!.slice();
  let from = 0;
  let finalTokens: TokenId[] = [];
  for (;;) {
    recorder.startStep(1);
    const { candidates, scores } = likeliest(decoding, logits, row.sequence);
    const result = yield {
      rows: candidates.map(({ token }): Row => ({ from, tokens: [token], scored: 'last', hidden: true })),
      finalTokens: finalTokens.length === 0 ? [] : [toFinalTokens(row, finalTokens)],
    };
    stop.tick();
    const states = result.map(({ hidden }) => toUnitVector(hidden[0]!));
    // Before the comparison, which is all of the work.
    for (const state of states) budget.charge('penalty_alpha', state.length * (context.length + NORM_STEPS));
    const chosen = bestIndex(
      candidates.map(
        ({ probability }, at) =>
          (1 - penaltyAlpha) * probability - penaltyAlpha * largestSimilarity(states[at]!, context),
      ),
    );
    const { token } = candidates[chosen]!;
    if (output.topLogprobs !== null) {
      row.reports.push(reportToken(logits, token, output.topLogprobs, budget, output.processed ? scores : null));
    }
    row.sequence.push(token);
    context.push(states[chosen]!);
    budget.hold('penalty_alpha', states[chosen]!.byteLength);
    row.finishReason = stop.reasonToStop(row.sequence);
    if (row.finishReason !== null) break;
    logits = result[chosen]!.logits[0]!.slice();
    from = chosen;
    finalTokens = [token];
  }
  return outcomeOf(decoding, [row], output.promptLogprobs === null ? undefined : promptLogprobs);
}

/** The `top_k` likeliest tokens that are possible, best first, and the processed scores. */
function likeliest(
  decoding: Decoding,
  logits: Float32Array,
  sequence: readonly TokenId[],
): { readonly candidates: readonly Candidate[]; readonly scores: Float32Array } {
  const { config, processors, recorder } = decoding;
  recorder.record(0, 'logits', logits);
  const scores = logits.slice();
  applyLogitsProcessors(processors, [{ scores, sequence }]);
  recorder.record(0, 'scores', scores);
  ranking.rank(scores);
  if (ranking.count === 0) throw noPossibleToken();
  const normaliser = logSumExp(scores);
  chargeRows(decoding, ranking.steps + (STEPS.exp + 3) * scores.length);
  const candidates = Array.from({ length: Math.min(config.topK, ranking.count) }, (_, at) => {
    const token = ranking.at(at);
    return { token, probability: Math.exp(scores[token]! - normaliser) };
  });
  return { candidates, scores };
}

function largestSimilarity(state: Float32Array, context: readonly Float32Array[]): number {
  let largest = Number.NEGATIVE_INFINITY;
  for (const other of context) {
    let similarity = 0;
    for (let at = 0; at < state.length; at++) similarity += state[at]! * other[at]!;
    if (similarity > largest) largest = similarity;
  }
  return largest;
}

function toUnitVector(vector: Float32Array): Float32Array {
  let square = 0;
  for (const value of vector) square += value * value;
  const length = Math.sqrt(square);
  return length === 0 ? vector.slice() : vector.map((value) => value / length);
}

/** Index of the largest value, the first on ties. */
function bestIndex(values: readonly number[]): number {
  return values.reduce((best, value, at) => (value > values[best]! ? at : best), 0);
}
