import { parseGenerateParameters } from '@gptj-cloud/decoding';
import { type Engine, parameterContext } from '@gptj-cloud/engine';

/** Tokens per second of one round. */
export interface EngineRates {
  readonly prefill: number;
  readonly decode: number;
}

/** Generate exactly `generated` tokens greedily after `prompt` random tokens. Returns the arrival time of every token. */
async function timeTokens(
  engine: Engine,
  prompt: number,
  generated: number,
): Promise<{ startedAt: number; arrivals: number[] }> {
  // New random tokens every time, so that no part of the prompt is in the prefix cache.
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
 * Measure one round through the child process, scheduler, processors and sampler. Prefill: from the start of the first
 * evaluation to the first token. Decode: from the first token to the last, after a prompt of one token.
 */
export async function measureEngine(engine: Engine, prompt: number, generated: number): Promise<EngineRates> {
  const prefill = await timeTokens(engine, prompt, 1);
  const decode = await timeTokens(engine, 1, generated + 1);
  return {
    prefill: (1000 * prompt) / (prefill.arrivals[0]! - prefill.startedAt),
    decode: (1000 * generated) / (decode.arrivals.at(-1)! - decode.arrivals[0]!),
  };
}
