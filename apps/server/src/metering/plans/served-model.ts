import type { EngineInfo } from '@gptj-cloud/engine';
import { GPTJ_6B } from '@gptj-cloud/model';

/**
 * The name by which plans allow what is served. Every GPT-J of the original's size is `gpt-j-6b`, whatever its file
 * calls itself: a tuned or quantised one costs as much to run.
 */
export function servedModelName({ config, modelName }: Pick<EngineInfo, 'config' | 'modelName'>): string {
  const isFullSize = config.layerCount >= GPTJ_6B.layerCount && config.embeddingSize >= GPTJ_6B.embeddingSize;
  return isFullSize ? 'gpt-j-6b' : modelName;
}
