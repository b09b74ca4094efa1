import { type LanguageModel, ModelError, type SequenceId, type Step } from '@gptj-cloud/model';

/**
 * Check the steps of an evaluation before anything changes. Whether the cache has room is for the engine to check.
 *
 * Throws `unknown_sequence`, `context_full`, `batch_too_large`, `unsupported` (early-exit layers that the model does
 * not have), and RangeError for mistakes of the caller: no step, a step without tokens, two steps for one sequence, a
 * token outside the vocabulary.
 */
export function checkSteps(model: LanguageModel, steps: readonly Step[]): void {
  const { contextLength, vocabSize } = model.config;
  if (steps.length === 0) throw new RangeError('evaluate: expected at least one step');
  const seen = new Set<SequenceId>();
  let total = 0;
  for (const { sequence, tokens, layers } of steps) {
    if (tokens.length === 0) throw new RangeError('evaluate: expected at least one token in every step');
    if (seen.has(sequence)) throw new RangeError(`evaluate: expected one step per sequence, got two for ${sequence}`);
    seen.add(sequence);
    for (const token of tokens) {
      if (!(Number.isInteger(token) && token >= 0 && token < vocabSize)) {
        throw new RangeError(`evaluate: expected token ids from 0 to ${vocabSize - 1}, got ${token}`);
      }
    }
    if (layers !== undefined) checkLayers(model, layers);
    const length = model.length(sequence) + tokens.length;
    if (length > contextLength) {
      throw new ModelError('context_full', `expected at most ${contextLength} positions in a sequence, got ${length}`);
    }
    total += tokens.length;
  }
  const max = model.limits.maxBatchTokens;
  if (total > max) {
    throw new ModelError('batch_too_large', `expected at most ${max} tokens in one evaluation, got ${total}`);
  }
}

function checkLayers(model: LanguageModel, layers: readonly number[]): void {
  if (layers.length === 0) return;
  if (!model.capabilities.earlyExit) {
    throw new ModelError('unsupported', 'llama.cpp has no early-exit logits: use the kernels (GPTJ_ENGINE)');
  }
  const last = model.config.layerCount - 1;
  for (const layer of layers) {
    if (!Number.isInteger(layer) || layer < 0 || layer > last) {
      throw new ModelError('unsupported', `early exit: expected layers from 0 to ${last}, got ${layer}`);
    }
  }
}
