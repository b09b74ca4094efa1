/** The draft model: a small model of the same vocabulary that guesses what the model will generate. */
import { stat } from 'node:fs/promises';
import { openGgufWeights, type Weights } from '@gptj-cloud/checkpoint';
import { type GptjConfig, ModelError } from '@gptj-cloud/model';

/** Threads of a draft model at most: its products are small. */
export const MAX_DRAFT_THREADS = 4;

/** What the memory plan needs to know of a draft model. */
export interface DraftFile {
  readonly path: string;
  readonly config: GptjConfig;
  readonly fileBytes: number;
}

/**
 * Read the header of a draft model's file. Throws `invalid_config` when its vocabulary is another one than the model's,
 * and `CheckpointError`s.
 */
export async function readDraftFile(path: string, model: { path: string; weights: Weights }): Promise<DraftFile> {
  const draft = await openGgufWeights(path);
  try {
    const difference = firstDifference(model.weights, draft);
    if (difference !== null) {
      throw new ModelError(
        'invalid_config',
        `${path}: expected a draft model with the vocabulary of ${model.path}, ${difference}; use a model of the same tokenizer, or none`,
      );
    }
    return { path, config: draft.config, fileBytes: (await stat(path)).size };
  } finally {
    await draft.close();
  }
}

/** `of 50400 tokens, got 384`; null where the vocabularies are the same. */
function firstDifference(model: Weights, draft: Weights): string | null {
  const [expected, got] = [spellings(model), spellings(draft)];
  const sizes = [model.config.vocabSize, draft.config.vocabSize];
  if (sizes[0] !== sizes[1]) return `of ${sizes[0]} tokens, got ${sizes[1]}`;
  const id = expected.findIndex((token, at) => token !== got[at]);
  const show = (token: string | null | undefined): string => (token == null ? 'no token' : JSON.stringify(token));
  return id < 0 ? null : `in which token ${id} is ${show(expected[id])}, got ${show(got[id])}`;
}

/** The spelling of each token; null where a row of the model has none. */
function spellings({ tokenizer }: Weights): readonly (string | null)[] {
  const unused = new Set(tokenizer.unused);
  return tokenizer.tokens.map((token, id) => (unused.has(id) ? null : token));
}
