import type { TokenId } from '@gptj-cloud/model';
import { allowedNextOf } from './allowed-next.ts';
import { buildChain } from './chain.ts';
import { DecodingError } from './decoding-error.ts';
import type { GenerateConfig } from './generate-config.ts';
import type { GenerateOutcome } from './generate-outcome.ts';
import { freshSeed, type NoiseSource, seededNoise } from './noise.ts';
import { stopRule } from './stopping/stop-rule.ts';
import { sample } from './strategies/sample.ts';
import type { Strategy } from './strategy.ts';

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
}

/**
 * `generate` of transformers as a generator of asks (see `Strategy`): the driver scores rows, the strategy chooses
 * tokens. `max_time` counts from this call.
 *
 * Throws `DecodingError` while running when the parameters leave no token to choose.
 */
export function generate(
  { prompt, config }: GenerateRequest,
  { clock, noise }: GenerateDependencies,
): Strategy<GenerateOutcome> {
  const seed = config.seed ?? freshSeed();
  const decoding = {
    prompt,
    config,
    chain: buildChain(config, prompt, allowedNextOf(config, prompt)),
    stop: stopRule(config, clock, () => false),
    noise: noise ?? seededNoise(seed),
  };
  if (config.mode === 'greedy' || config.mode === 'sample') return sample(decoding);
  throw new DecodingError('missing_dependency', `${config.mode} decoding is not available yet`);
}
