import { type OpenModel, openModel } from '@gptj-cloud/engine';

/** Any GPT-J that has learned English continues this with a mean loss of 2 to 4 nats. */
const SENTENCE = 'Once upon a time there was a little girl who lived in a small house near the forest with her mother.';

/** Share of the loss of equal chances above which a model has learned nothing of English. */
const NOISE_SHARE = 0.7;

export interface TextProbe {
  /** Of a fixed English sentence. */
  readonly perplexity: number;
  /** Whether it is that of a model whose weights are noise. */
  readonly isNoise: boolean;
  /** Why the model could not be tried; null when it was. */
  readonly error: string | null;
}

/** Try a model with one sentence. Never throws: the file is complete, whatever becomes of this. */
export async function probeText(path: string): Promise<TextProbe> {
  let opened: OpenModel | null = null;
  try {
    opened = await openModel({ path, cacheCells: 64, contextLength: 64 });
    const loss = await meanLoss(opened);
    return {
      perplexity: Math.exp(loss),
      isNoise: loss > NOISE_SHARE * Math.log(opened.tokenizer.vocabSize),
      error: null,
    };
  } catch (error) {
    return { perplexity: Number.NaN, isNoise: false, error: (error as Error).message };
  } finally {
    await opened?.close();
  }
}

/** Nats per token after the first. */
async function meanLoss({ model, tokenizer }: OpenModel): Promise<number> {
  const tokens = tokenizer.encode(SENTENCE).slice(0, model.config.contextLength);
  const [result] = await model.evaluate([{ sequence: model.open(), tokens, scored: 'all' }]);
  const losses = tokens.slice(1).map((token, i) => {
    const row = result!.logits[i]!;
    const top = row.reduce((most, logit) => Math.max(most, logit), Number.NEGATIVE_INFINITY);
    const sum = row.reduce((total, logit) => total + Math.exp(logit - top), 0);
    return top + Math.log(sum) - row[token]!;
  });
  return losses.reduce((total, loss) => total + loss, 0) / losses.length;
}
