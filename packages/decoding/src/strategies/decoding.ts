import type { TokenId } from '@gptj-cloud/model';
import type { GenerateConfig } from '../generate-config.ts';
import type { LogitsProcessorList } from '../logits-processor-list.ts';
import type { NoiseSource } from '../noise.ts';
import type { ScoreRecorder } from '../score-recorder.ts';
import type { StopRule } from '../stopping/stop-rule.ts';

/** The inputs of every strategy. */
export interface Decoding {
  readonly prompt: readonly TokenId[];
  readonly config: GenerateConfig;
  readonly processors: LogitsProcessorList;
  readonly stop: StopRule;
  readonly noise: NoiseSource;
  readonly recorder: ScoreRecorder;
}
