/**
 * The zero-shot table of GPT-J's README (kingoflolz/mesh-transformer-jax, 02850c4), with the chance of PIQA corrected from 25 %
 * to 50 %. Accuracies in per cent. `*`: reported by the authors of the model. `‡`: training data may contain test sets.
 */
export interface ScoreColumn {
  readonly task: string;
  readonly title: string;
  /** The metric that the published column holds. */
  readonly metric: 'perplexity' | 'acc' | 'acc_norm';
}

export const SCORE_COLUMNS: readonly ScoreColumn[] = [
  { task: 'lambada_openai', title: 'LAMBADA', metric: 'perplexity' },
  { task: 'lambada_openai', title: 'LAMBADA', metric: 'acc' },
  { task: 'winogrande', title: 'Winogrande', metric: 'acc' },
  { task: 'hellaswag', title: 'HellaSwag', metric: 'acc_norm' },
  { task: 'piqa', title: 'PIQA', metric: 'acc_norm' },
];

export interface PublishedModel {
  readonly name: string;
  readonly trainingFlops: number | null;
  /** In the order of `SCORE_COLUMNS`; null: not published. */
  readonly scores: readonly (number | null)[];
}

export const PUBLISHED_MODELS: readonly PublishedModel[] = [
  row('Chance', null, null, 0, 50, 25, 50),
  row('GPT-3 Ada ‡', null, 9.95, 51.6, 52.9, 43.4, 70.5),
  row('GPT-2 1.5B', null, 10.63, 51.21, 59.4, 50.9, 70.8),
  row('GPT-Neo 1.3B ‡', 3.0e21, 7.5, 57.2, 55.0, 48.9, 71.1),
  row('Megatron 2.5B *', 2.4e21, null, 61.7, null, null, null),
  row('GPT-Neo 2.7B ‡', 6.8e21, 5.63, 62.2, 56.5, 55.8, 73.0),
  row('GPT-3 1.3B *‡', 2.4e21, 5.44, 63.6, 58.7, 54.7, 75.1),
  row('GPT-3 Babbage ‡', null, 5.58, 62.4, 59.0, 54.5, 75.5),
  row('Megatron 8.3B *', 7.8e21, null, 66.5, null, null, null),
  row('GPT-3 2.7B *‡', 4.8e21, 4.6, 67.1, 62.3, 62.8, 75.6),
  row('GPT-J 6B ‡', 1.5e22, 3.99, 69.7, 65.3, 66.1, 76.5),
  row('GPT-3 6.7B *‡', 1.2e22, 4.0, 70.3, 64.5, 67.4, 78.0),
  row('GPT-3 Curie ‡', null, 4.0, 69.3, 65.6, 68.5, 77.9),
  row('GPT-3 13B *‡', 2.3e22, 3.56, 72.5, 67.9, 70.9, 78.5),
  row('GPT-3 175B *‡', 3.1e23, 3.0, 76.2, 70.2, 78.9, 81.0),
  row('GPT-3 Davinci ‡', null, 3.0, 75, 72, 78, 80),
];

/**
 * GPT-J 6B in the form `harness`, measured by others: HellaSwag in lm-evaluation-harness#372, LAMBADA by Intel in float32. Own
 * weights are right where a run is within two standard errors.
 */
export const GPTJ_TODAY: PublishedModel = row('GPT-J 6B, form harness', 1.5e22, null, 68.3, null, 66.25, null);

function row(name: string, trainingFlops: number | null, ...scores: readonly (number | null)[]): PublishedModel {
  return { name, trainingFlops, scores };
}
