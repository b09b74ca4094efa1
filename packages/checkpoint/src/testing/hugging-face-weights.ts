import { openHuggingFaceCheckpoint } from '../hugging-face.ts';
import { toWeights, type Weights } from '../weights.ts';

/** The weights of a Hugging Face folder, as numbers to compare a converted file with. */
export async function openHuggingFaceWeights(folder: string): Promise<Weights> {
  return await toWeights(await openHuggingFaceCheckpoint(folder));
}
