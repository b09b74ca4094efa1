import type { TokenId } from '@gptj-cloud/model';
import type { DecodingMode, GenerateConfig } from '../generate-config.ts';
import type { Guess } from '../guesser.ts';
import type { LogitsProcessorList } from '../logits-processor-list.ts';
import type { NoiseSource } from '../noise.ts';
import type { Argmax } from '../numerics/argmax.ts';
import type { ScoreRecorder } from '../score-recorder.ts';
import type { StopRule } from '../stopping/stop-rule.ts';
import type { WorkBudget } from '../work-budget.ts';

/** The inputs of every strategy. */
export interface Decoding {
  readonly prompt: readonly TokenId[];
  readonly config: GenerateConfig;
  readonly processors: LogitsProcessorList;
  readonly stop: StopRule;
  readonly noise: NoiseSource;
  readonly recorder: ScoreRecorder;
  readonly budget: WorkBudget;
  readonly argmax: Argmax;
  /** Chooses draft tokens by another model's logits. */
  readonly guess: Guess;
}

/** Charges the work that a mode does for every row to the parameter that sets the number of rows. */
export function chargeRows({ config, budget }: Decoding, steps: number): void {
  budget.charge(ROW_PARAMETERS[config.mode] ?? 'num_beams', steps);
}

const ROW_PARAMETERS: Partial<Record<DecodingMode, string>> = {
  greedy: 'prompt_lookup_num_tokens',
  sample: 'num_return_sequences',
  dola: 'num_return_sequences',
  contrastive: 'top_k',
  score: 'prompt_logprobs',
};
