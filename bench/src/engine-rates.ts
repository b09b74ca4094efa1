import { parseGenerateParameters } from '@gptj-cloud/decoding';
import { type Engine, parameterContext } from '@gptj-cloud/engine';

/** Tokens a second of one round. */
export interface EngineRates {
  readonly prefill: number;
  readonly decode: number;
}

/** Greedy generation of exactly `generated` tokens from `prompt` random tokens; when each token arrived. */
async function timeTokens(
  engine: Engine,
  prompt: number,
  generated: number,
): Promise<{ startedAt: number; arrivals: number[] }> {
  // Fresh tokens every time: nothing of the prompt may come from the prefix cache.
  const tokens = Array.from({ length: prompt }, () => Math.floor(Math.random() * 50257));
  const parameters = parseGenerateParameters(
    { max_new_tokens: generated, min_new_tokens: generated, do_sample: false },
    parameterContext(engine.info, prompt),
  );
  let startedAt = 0;
  const arrivals: number[] = [];
  for await (const event of engine.generate({ prompt: tokens, config: parameters.config })) {
    if (event.type === 'started') startedAt = performance.now();
    if (event.type === 'tokens') for (const _ of event.tokens) arrivals.push(performance.now());
  }
  return { startedAt, arrivals };
}

/**
 * One round over the whole path a served run takes: process, scheduler, processors, sampler.
 * Prefill: from the first evaluation's start to the first token. Decode: from the first token to the last, at depth 0.
 */
export async function measureEngine(engine: Engine, prompt: number, generated: number): Promise<EngineRates> {
  const prefill = await timeTokens(engine, prompt, 1);
  const decode = await timeTokens(engine, 1, generated + 1);
  return {
    prefill: (1000 * prompt) / (prefill.arrivals[0]! - prefill.startedAt),
    decode: (1000 * generated) / (decode.arrivals.at(-1)! - decode.arrivals[0]!),
  };
}
