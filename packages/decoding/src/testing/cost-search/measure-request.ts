import { DecodingError } from '../../decoding-error.ts';
import { generate } from '../../generate.ts';
import { argmaxOrRefuse } from '../../numerics/argmax.ts';
import { ParameterError } from '../../parameter-error.ts';
import { parseGenerateParameters } from '../../parameters/parse-generate-parameters.ts';
import type { Row, RowResult, ScoreRequest } from '../../strategy.ts';
import { workBudget } from '../../work-budget.ts';
import { seededUniforms } from '../seeded-uniforms.ts';
import { type CostRequest, parametersOf, promptOf } from './cost-request.ts';
import { COST_EOS, COST_VOCABULARY, costTokenBytes } from './cost-vocabulary.ts';

const CONTEXT = {
  vocabSize: COST_VOCABULARY,
  contextLength: 2048,
  eosTokenId: COST_EOS,
  earlyExitLayers: 28,
  encodeText: (text: string) => Array.from(new TextEncoder().encode(text)),
};
const HIDDEN_SIZE = 4096;
const ROWS_OF_A_KIND = 8;

/** What a request took, each part at its longest. */
export interface RequestCost {
  /** Steps of one advance, and of building the tables before the first. */
  readonly steps: number;
  /** Milliseconds of processor time of this process: of reading the parameters, building the tables, and one advance. */
  readonly parseMs: number;
  readonly buildMs: number;
  readonly advanceMs: number;
  /** Bytes that the running generation holds; 0 where `gc` is not exposed. */
  readonly heldBytes: number;
  /** How it ended: `done`, or the code of its error. */
  readonly outcome: string;
}

/** Run a request for some evaluations with made-up logits. `now` gives milliseconds of processor time. */
export function measureRequest(
  request: CostRequest,
  evaluations: number,
  now: () => number = processorMs,
): RequestCost {
  const prompt = promptOf(request);
  const parameters = parametersOf(request);
  const budget = workBudget();
  let steps = 0;
  let buildMs = 0;
  let advanceMs = 0;
  let heldBytes = 0;
  const began = now();
  let parsed = began;
  const cost = (outcome: string): RequestCost => ({
    steps,
    parseMs: parsed - began,
    buildMs,
    advanceMs,
    heldBytes,
    outcome,
  });
  try {
    const { config } = parseGenerateParameters(parameters, { ...CONTEXT, promptLength: prompt.length });
    parsed = now();
    const bytesBefore = bytesHeld();
    const built = now();
    try {
      const strategy = generate({ prompt, config }, { clock: () => 0, tokenBytes: costTokenBytes, budget });
      buildMs = now() - built;
      steps = budget.stepsOfEvaluation();
      let turn = strategy.next();
      for (let evaluation = 0; evaluation < evaluations && turn.done !== true; evaluation++) {
        const result = resultOf(turn.value, request, evaluation);
        const before = now();
        try {
          turn = strategy.next(result);
        } finally {
          advanceMs = Math.max(advanceMs, now() - before);
          steps = Math.max(steps, budget.stepsOfEvaluation());
        }
      }
      heldBytes = bytesHeld() - bytesBefore;
      // Still in use, so that its memory is counted.
      strategy.return(undefined as never);
      return cost('done');
    } catch (error) {
      if (steps === 0) buildMs = now() - built;
      if (!(error instanceof DecodingError)) throw error;
      return cost(error.code);
    }
  } catch (error) {
    if (!(error instanceof ParameterError)) throw error;
    parsed = now();
    return cost(error.code);
  }
}

function bytesHeld(): number {
  if (globalThis.gc === undefined) return 0;
  globalThis.gc();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** Milliseconds of processor time for 64 rows that take their likeliest token: the least that any 64 rows cost. */
export function greedyStepMs(now: () => number = processorMs): number {
  const times = Array.from({ length: 9 }, () => {
    const before = now();
    for (let row = 0; row < 64; row++) argmaxOrRefuse(rowsOf('spread')[row % ROWS_OF_A_KIND]!.slice());
    return now() - before;
  });
  return times.sort((a, b) => a - b)[4]!;
}

/** Processor time of this process, which others that wait for the same processor do not lengthen. */
function processorMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

const pool = new Map<string, readonly Float32Array[]>();

function rowsOf(kind: CostRequest['logits']): readonly Float32Array[] {
  const known = pool.get(kind);
  if (known !== undefined) return known;
  const draw = seededUniforms(kind.length);
  const value: Record<CostRequest['logits'], (id: number) => number> = {
    spread: () => 6 * (draw() + draw() + draw() - 1.5),
    flat: () => draw() / 10,
    equal: () => 1,
    ascending: (id) => id / 1000,
    peaked: (id) => (id % 17_000 === 300 ? 30 : draw()),
  };
  const rows = Array.from({ length: ROWS_OF_A_KIND }, () =>
    Float32Array.from({ length: COST_VOCABULARY }, (_, id) => value[kind](id)),
  );
  pool.set(kind, rows);
  return rows;
}

function resultOf({ rows }: ScoreRequest, { logits }: CostRequest, evaluation: number): RowResult[] {
  const kind = rowsOf(logits);
  const at = (index: number) => kind[index % kind.length]!;
  return rows.map((row: Row, index): RowResult => {
    const count = { none: 0, last: 1, all: row.tokens.length }[row.scored];
    const scored = Array.from({ length: count }, (_, position) => at(evaluation * 3 + index + position));
    return {
      logits: scored,
      hidden: row.hidden === true ? scored.map((values) => values.slice(0, HIDDEN_SIZE)) : [],
      layers: (row.layers ?? []).map((layer) => scored.map((_, position) => at(layer + position))),
    };
  });
}
