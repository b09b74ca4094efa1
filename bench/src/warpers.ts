import { applyLogitsProcessors, buildLogitsProcessors, parseGenerateParameters } from '@gptj-cloud/decoding';
import { median, quantile } from './statistics.ts';
import { table } from './table.ts';

const VOCAB = 50400;

const SETTINGS: Readonly<Record<string, Record<string, unknown>>> = {
  'all warpers': {
    temperature: 0.8,
    top_h: 0.9,
    top_k: 200,
    top_p: 0.95,
    min_p: 0.001,
    typical_p: 0.95,
    epsilon_cutoff: 0.0003,
    eta_cutoff: 0.0003,
  },
  'top_k 50': { top_k: 50 },
  'temperature and top_p': { temperature: 0.8, top_k: 0, top_p: 0.9 },
  'repetition_penalty over 1000 tokens': { repetition_penalty: 1.2, top_k: 0 },
};

/** Measure the time to process one row of scores, for each setting. The scores resemble those of a language model. */
export function benchWarpers(): void {
  let state = 1;
  const random = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
  const logits = Float32Array.from(
    { length: VOCAB },
    () => 2.2 * Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random()),
  );
  const sequence = Array.from({ length: 1000 }, () => Math.floor(random() * VOCAB));
  const rows = Object.entries(SETTINGS).map(([name, parameters]) => {
    const context = { vocabSize: VOCAB, contextLength: 2048, eosTokenId: 50256, promptLength: sequence.length };
    const { config } = parseGenerateParameters({ do_sample: true, ...parameters }, context);
    let processors = buildLogitsProcessors(config, sequence, null);
    const times: number[] = [];
    for (let round = 0; round < 300; round++) {
      // The work of one evaluation is bounded.
      if (round % 50 === 0) processors = buildLogitsProcessors(config, sequence, null);
      const scores = logits.slice();
      const startedAt = performance.now();
      applyLogitsProcessors(processors, [{ scores, sequence }]);
      if (round >= 100) times.push(performance.now() - startedAt);
    }
    return [name, median(times).toFixed(3), quantile(times, 0.99).toFixed(3)];
  });
  console.log(table([`ms per row of ${VOCAB}`, 'median', 'p99'], rows));
}
