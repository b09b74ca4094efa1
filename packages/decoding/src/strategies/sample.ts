import type { TokenId } from '@gptj-cloud/model';
import type { FinishReason, GenerateOutcome, TokenReport } from '../generate-outcome.ts';
import { applyLogitsProcessors } from '../logits-processor-list.ts';
import { argmaxOrRefuse } from '../numerics/argmax.ts';
import { largestOf } from '../numerics/log-softmax.ts';
import { sampleToken } from '../numerics/sample-token.ts';
import type { FinalTokens, Strategy } from '../strategy.ts';
import { reportToken } from '../token-report.ts';
import { STEPS } from '../work-budget.ts';
import { chargeRows, type Decoding } from './decoding.ts';
import { contrastLayers, dolaSteps } from './dola.ts';
import { type Continuation, continueRows, prefill, type RowLogits, readRow } from './rows.ts';

/** One returned sequence that is being generated. */
export interface RunningRow {
  /** Index among the returned sequences. */
  readonly index: number;
  readonly sequence: TokenId[];
  readonly reports: TokenReport[];
  /** Choose a token from processed scores, or take the next one of a given continuation. */
  readonly pick: (scores: Float32Array) => TokenId;
  finishReason: FinishReason | null;
}

/**
 * Greedy decoding and sampling: every returned sequence is a row of its own that takes the likeliest token, or draws
 * one from its own stream of noise, until it ends. DoLa is the same with contrasted layers in place of the logits.
 */
export function* sample(decoding: Decoding): Strategy<GenerateOutcome> {
  const { config, stop, recorder } = decoding;
  const rows = startRows(decoding);
  const { row: afterPrompt, promptLogprobs } = yield* prefill(decoding);
  // All rows start from the prompt's; afterwards row `from[i]` of the result belongs to running[i].
  const isShared = rows.length > 1;
  let logitsOf = (_at: number): RowLogits =>
    isShared ? { ...afterPrompt, logits: afterPrompt.logits.slice() } : afterPrompt;
  let from = rows.map(() => 0);
  let previous = 1;
  let running = rows;
  for (;;) {
    stop.tick();
    recorder.startStep(rows.length);
    const finalTokens = running.map((row, at) => toFinalTokens(row, [choose(decoding, row, logitsOf(at))]));
    const continuations: Continuation[] = running.flatMap((row, at) =>
      row.finishReason === null ? [{ from: from[at]!, token: row.sequence.at(-1)! }] : [],
    );
    running = running.filter((row) => row.finishReason === null);
    if (running.length === 0) break;
    const result = yield continueRows(config, previous, continuations, finalTokens);
    previous = running.length;
    from = running.map((_, at) => at);
    logitsOf = (at) => readRow(result, at, config);
  }
  return outcomeOf(decoding, rows, promptLogprobs);
}

/** The returned sequences before their first token. */
export function startRows({ prompt, config, noise, argmax }: Decoding): readonly RunningRow[] {
  return Array.from({ length: config.numReturnSequences }, (_, index) => {
    const sequence = [...prompt];
    const stream = config.doSample ? noise.stream(index) : null;
    const pick =
      config.continuation !== null
        ? () => config.continuation![sequence.length - prompt.length]!
        : stream === null
          ? (scores: Float32Array) => argmaxOrRefuse(scores, argmax)
          : (scores: Float32Array) => sampleToken(scores, stream, argmax);
    return { index, sequence, reports: [], pick, finishReason: null };
  });
}

/** A row's newest tokens, final, with their reports where there are any. */
export function toFinalTokens(row: RunningRow, tokens: readonly TokenId[]): FinalTokens {
  const reports = row.reports.slice(-tokens.length);
  return { index: row.index, tokens, ...(reports.length === 0 ? {} : { reports }) };
}

/** Extend a row by one token. Changes the logits, but where they are read afterwards: a copy of 200 KB takes longer than the choice. */
export function choose(decoding: Decoding, row: RunningRow, { logits, unconditional, layers }: RowLogits): TokenId {
  const { config, processors, stop, recorder, budget } = decoding;
  const { topLogprobs, processed } = config.output;
  chargeRows(decoding, (config.doSample ? STEPS.random : 3) * logits.length);
  if (layers.length > 0) budget.charge('dola_layers', dolaSteps(logits.length, layers.length));
  recorder.record(row.index, 'logits', logits);
  const shape = (scores: Float32Array): Float32Array => {
    applyLogitsProcessors(processors, [
      { scores, sequence: row.sequence, ...(unconditional === undefined ? {} : { unconditional }) },
    ]);
    return scores;
  };
  const own = topLogprobs === null ? logits : logits.slice();
  let scores = shape(layers.length === 0 ? own : contrastLayers(logits, layers));
  // DoLa leaves few tokens, and the processors may forbid all of them: then the final layer's logits are used alone.
  if (layers.length > 0 && largestOf(scores) === Number.NEGATIVE_INFINITY) scores = shape(own);
  recorder.record(row.index, 'scores', scores);
  const token = row.pick(scores);
  if (topLogprobs !== null) {
    row.reports.push(reportToken(logits, token, topLogprobs, budget, processed ? scores : null));
  }
  row.sequence.push(token);
  row.finishReason = stop.reasonToStop(row.sequence);
  return token;
}

/** The outcome of finished rows. */
export function outcomeOf(
  { prompt, config, recorder }: Decoding,
  rows: readonly RunningRow[],
  promptLogprobs: readonly TokenReport[] | undefined,
): GenerateOutcome {
  return {
    sequences: rows.map(({ sequence, reports, finishReason }) => ({
      tokens: sequence.slice(prompt.length),
      finishReason: finishReason ?? 'length',
      ...(config.output.topLogprobs === null ? {} : { logprobs: reports }),
    })),
    ...(promptLogprobs === undefined ? {} : { promptLogprobs }),
    ...recorder.collected(),
  };
}
