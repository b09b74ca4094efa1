import type { EngineInfo } from '@gptj-cloud/engine';
import { GPTJ_6B } from '@gptj-cloud/model';

/**
 * The name under which plans list the served model. Every GPT-J of the original's size is `gpt-j-6b`, whatever name its
 * file states: a tuned or quantised model costs as much to run.
 */
export function servedModelName({ config, modelName }: Pick<EngineInfo, 'config' | 'modelName'>): string {
  const isFullSize = config.layerCount >= GPTJ_6B.layerCount && config.embeddingSize >= GPTJ_6B.embeddingSize;
  return isFullSize ? 'gpt-j-6b' : modelName;
}
