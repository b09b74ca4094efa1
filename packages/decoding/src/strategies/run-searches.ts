import type { GeneratedSequence, GenerateOutcome } from '../generate-outcome.ts';
import type { LogitsRow } from '../logits-processor.ts';
import { noPossibleToken } from '../numerics/argmax.ts';
import { logSoftmaxInPlace } from '../numerics/log-softmax.ts';
import type { Strategy } from '../strategy.ts';
import { reportToken } from '../token-report.ts';
import { STEPS } from '../work-budget.ts';
import { type BeamSearch, type Candidate, type Hypothesis, isCopy } from './beam.ts';
import { beamTrace } from './beam-trace.ts';
import { chargeRows, type Decoding } from './decoding.ts';
import { type Continuation, continueRows, prefill, type RowLogits, readRow } from './rows.ts';

/** Run beam searches in parallel; their hypotheses are concatenated in the outcome. */
export function* runSearches(decoding: Decoding, searches: readonly BeamSearch[]): Strategy<GenerateOutcome> {
  const { config, stop, recorder, prompt, budget } = decoding;
  const { topLogprobs, processed } = config.output;
  const { row: afterPrompt, promptLogprobs } = yield* prefill(decoding);
  const trace = beamTrace(config, budget);
  const scratch: Float32Array[] = [];
  let logitsOf = (_row: number): RowLogits => afterPrompt;
  let rowOf = (_row: number) => 0;
  let previous = 1;
  let running = searches.filter((search) => search.beams().length > 0);
  for (;;) {
    stop.tick();
    recorder.startStep(running.reduce((sum, search) => sum + search.beams().length, 0));
    trace.startStep();
    const continuations: Continuation[] = [];
    let offset = 0;
    for (const search of running) {
      const base = offset;
      const rows = search.beams().map(({ sequence }, at): LogitsRow => {
        const { logits, unconditional } = logitsOf(base + at);
        recorder.record(base + at, 'logits', logits);
        let scores = scratch[base + at];
        if (scores === undefined) {
          scores = new Float32Array(logits.length);
          scratch.push(scores);
        }
        scores.set(logits);
        logSoftmaxInPlace(scores);
        chargeRows(decoding, (STEPS.exp + 4) * scores.length);
        return { scores, sequence, ...(unconditional === undefined ? {} : { unconditional }) };
      });
      const considered: Candidate[] = [];
      search.advance({
        rows,
        ...(config.output.beams ? { consider: (candidates) => considered.push(...candidates) } : {}),
        report: (beam, token) => {
          if (topLogprobs === null) return [];
          const { logits } = logitsOf(base + beam);
          // Processed in place by now.
          const after = processed ? (rows[beam]?.scores ?? null) : null;
          return [reportToken(logits, token, topLogprobs, budget, after)];
        },
      });
      for (const [at, { scores }] of rows.entries()) recorder.record(base + at, 'scores', scores);
      trace.record(base, considered, search.beams());
      for (const { parent, sequence } of search.beams()) {
        continuations.push({ from: rowOf(base + parent), token: sequence.at(-1)! });
      }
      offset += rows.length;
    }
    running = running.filter((search) => search.beams().length > 0);
    if (running.length === 0) break;
    const searched = trace.newest();
    const request = continueRows(config, previous, continuations, []);
    const result = yield searched === null ? request : { ...request, searched };
    previous = continuations.length;
    logitsOf = (row) => readRow(result, row, config);
    rowOf = (row) => row;
  }
  const hypotheses = searches.flatMap((search) => search.finish());
  if (hypotheses.length === 0) throw noPossibleToken();
  const warnings = searches.flatMap((search) => search.warnings());
  const distinct = new Set(hypotheses.map(({ beam }) => beam.sequence.join())).size;
  if (hypotheses.length < config.numReturnSequences || hypotheses.some(({ beam }) => isCopy(beam))) {
    warnings.push(
      `only ${distinct} of ${config.numReturnSequences} sequences are possible under the parameters; ` +
        'as in transformers, the others repeat one of them or are missing',
    );
  }
  return {
    sequences: hypotheses.map((hypothesis) => toSequence(hypothesis, prompt.length, topLogprobs !== null)),
    ...(promptLogprobs === undefined ? {} : { promptLogprobs }),
    ...recorder.collected(),
    ...trace.collected(),
    ...(warnings.length === 0 ? {} : { warnings }),
  };
}

function toSequence({ beam, score, finishReason }: Hypothesis, skip: number, reported: boolean): GeneratedSequence {
  return {
    tokens: beam.sequence.slice(skip),
    finishReason,
    score,
    beamIndices: beam.beamIndices,
    ...(reported ? { logprobs: beam.reports } : {}),
  };
}
