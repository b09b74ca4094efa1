import type { TokenId } from '@gptj-cloud/model';
import { applyChain } from '../chain.ts';
import type { FinishReason, GenerateOutcome } from '../generate-outcome.ts';
import { argmax } from '../numerics/argmax.ts';
import { sampleToken } from '../numerics/sample-token.ts';
import type { Ask, Row, Strategy } from '../strategy.ts';
import type { Decoding } from './decoding.ts';

interface RunningRow {
  readonly index: number;
  readonly sequence: TokenId[];
  /** Chooses from processed scores. */
  readonly pick: (scores: Float32Array) => TokenId;
  finishReason: FinishReason | null;
}

/**
 * Greedy decoding and sampling: every returned sequence is a row of its own that takes the likeliest token, or draws
 * one from its own stream of noise, until it ends.
 */
export function* sample({ prompt, config, chain, stop, noise }: Decoding): Strategy<GenerateOutcome> {
  const rows: RunningRow[] = Array.from({ length: config.numReturnSequences }, (_, index) => {
    const draw = config.doSample ? noise.stream(index) : null;
    return {
      index,
      sequence: [...prompt],
      pick: draw === null ? argmax : (scores) => sampleToken(scores, draw()),
      finishReason: null,
    };
  });
  let running = rows;
  let ask: Ask = { rows: [{ from: null, tokens: prompt, scored: 'last' }], settled: [] };
  while (running.length > 0) {
    const answer = yield ask;
    stop.tick();
    const asked = running;
    const next: RunningRow[] = [];
    const nextRows: Row[] = [];
    const settled: { index: number; tokens: TokenId[] }[] = [];
    for (const [at, row] of asked.entries()) {
      // The first answer is the prompt's, shared by all rows.
      const from = answer.length === 1 ? 0 : at;
      const scores = answer[from]!.logits[0]!.slice();
      applyChain(chain, [{ scores, sequence: row.sequence }]);
      const token = row.pick(scores);
      row.sequence.push(token);
      settled.push({ index: row.index, tokens: [token] });
      row.finishReason = stop.reasonToStop(row.sequence);
      if (row.finishReason !== null) continue;
      next.push(row);
      nextRows.push({ from, tokens: [token], scored: 'last' });
    }
    running = next;
    ask = { rows: nextRows, settled };
  }
  return {
    sequences: rows.map((row) => ({
      tokens: row.sequence.slice(prompt.length),
      finishReason: row.finishReason ?? 'length',
    })),
  };
}
