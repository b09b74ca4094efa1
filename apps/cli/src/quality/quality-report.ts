import { formatBytes, formatCount } from '../figures.ts';
import { renderPairs, renderTable } from '../table.ts';
import { CONFIDENCE, drawChunks, type Estimate, estimateMean, estimateQuantile, RESAMPLES } from './bootstrap.ts';
import type { Comparison, MeasuredModel } from './compare-models.ts';

/** What one model loses against the reference. */
export interface ModelQuality extends MeasuredModel {
  readonly sizeBytes: number;
  readonly perplexity: Estimate;
  /** Of the model's perplexity to the reference's, by pairs: its interval is narrower than those of the two. */
  readonly perplexityRatio: Estimate;
  /** Kullback-Leibler divergence per token, in nats. */
  readonly divergence: {
    readonly mean: Estimate;
    readonly median: Estimate;
    readonly percentile99: Estimate;
    /** The largest one that occurred. Its interval only shows how rare such tokens are: the true one may be larger. */
    readonly max: Estimate;
  };
  /** Share of the tokens that both find the most likely. */
  readonly topAgreement: Estimate;
  /** The divergences of all tokens, rising; for the plot. */
  readonly sortedDivergences: Float64Array;
}

export interface QualityReport {
  readonly reference: MeasuredModel & { readonly sizeBytes: number; readonly perplexity: Estimate };
  readonly text: {
    readonly source: string;
    readonly context: number;
    readonly chunks: number;
    /** Tokens that were predicted and compared. */
    readonly scoredTokens: number;
  };
  readonly confidence: number;
  readonly method: string;
  readonly models: readonly ModelQuality[];
}

const METHOD = `percentile bootstrap over chunks, ${RESAMPLES} resamples`;

/** The figures of every comparison with one reference. */
export function summarise(
  comparisons: readonly (Comparison & { readonly sizeBytes: number; readonly referenceBytes: number })[],
  text: Pick<QualityReport['text'], 'source' | 'context'>,
): QualityReport {
  const [first] = comparisons;
  if (first === undefined) throw new Error('expected at least one comparison');
  const draws = drawChunks(first.chunks.length);
  const pick = <T>({ chunks }: Comparison, value: (token: Comparison['chunks'][number][number]) => T): T[][] =>
    chunks.map((chunk) => chunk.map(value));
  return {
    reference: {
      ...first.reference,
      sizeBytes: first.referenceBytes,
      perplexity: estimateMean(
        pick(first, (token) => token.referenceLoss),
        draws,
        Math.exp,
      ),
    },
    text: {
      ...text,
      chunks: first.chunks.length,
      scoredTokens: first.chunks.reduce((sum, chunk) => sum + chunk.length, 0),
    },
    confidence: CONFIDENCE,
    method: METHOD,
    models: comparisons.map((comparison) => {
      const divergences = pick(comparison, (token) => token.divergence);
      const losses = pick(comparison, (token) => token.loss);
      const differences = pick(comparison, (token) => token.loss - token.referenceLoss);
      const agreements = pick(comparison, (token) => (token.agrees ? 1 : 0));
      return {
        ...comparison.model,
        sizeBytes: comparison.sizeBytes,
        perplexity: estimateMean(losses, draws, Math.exp),
        perplexityRatio: estimateMean(differences, draws, Math.exp),
        divergence: {
          mean: estimateMean(divergences, draws),
          median: estimateQuantile(divergences, 0.5, draws),
          percentile99: estimateQuantile(divergences, 0.99, draws),
          max: estimateQuantile(divergences, 1, draws),
        },
        topAgreement: estimateMean(agreements, draws),
        sortedDivergences: Float64Array.from(divergences.flat()).sort(),
      };
    }),
  };
}

/** The report as the terminal shows it. */
export function renderQuality(report: QualityReport, width: number): string {
  const { reference, text, models } = report;
  const head = renderPairs(
    [
      ['reference', describe(reference)],
      [
        'its perplexity',
        `${number(reference.perplexity.value, 4)}, ${rangeOf(reference.perplexity, (v) => number(v, 4))}`,
      ],
      ['text', nameOf(text.source)],
      [
        'measured',
        `${formatCount(text.chunks)} chunks of ${text.context} tokens, ${formatCount(text.scoredTokens)} scored`,
      ],
      ['intervals', `${report.confidence * 100} %, ${report.method}`],
    ],
    width,
  );
  const blocks = models.map((model) => `\n${describe(model)}\n${figuresOf(model, width)}`);
  return `${head}${blocks.join('')}${models.length > 1 ? `\n${overview(models, width)}` : ''}`;
}

function describe({ path, quantisation, engine, sizeBytes }: MeasuredModel & { readonly sizeBytes: number }): string {
  return `${nameOf(path)}: ${quantisation}, ${formatBytes(sizeBytes)}, on ${engine}`;
}

/** The last part of a path. */
export function nameOf(path: string): string {
  return path.split(/[\\/]/).at(-1) ?? path;
}

function figuresOf(model: ModelQuality, width: number): string {
  const { divergence } = model;
  const row = (name: string, estimate: Estimate, show: (value: number) => string): readonly string[] => [
    name,
    show(estimate.value),
    rangeOf(estimate, show),
  ];
  const nats = (value: number): string => number(value, 3);
  return renderTable(
    [
      { title: '', isWhole: true },
      { title: 'value', align: 'right' },
      { title: 'interval', isWhole: true },
    ],
    [
      row('perplexity', model.perplexity, (value) => number(value, 4)),
      row('perplexity, times reference', model.perplexityRatio, (value) => value.toFixed(4)),
      row('KL divergence, mean', divergence.mean, nats),
      row('KL divergence, median', divergence.median, nats),
      row('KL divergence, 99 %', divergence.percentile99, nats),
      row('KL divergence, max', divergence.max, nats),
      row('same top token', model.topAgreement, percent),
    ],
    width,
  );
}

function overview(models: readonly ModelQuality[], width: number): string {
  return renderTable(
    [
      { title: 'model' },
      { title: 'size', align: 'right' },
      { title: 'perplexity ×', align: 'right' },
      { title: 'KL mean', align: 'right' },
      { title: 'KL 99 %', align: 'right' },
      { title: 'same top', align: 'right' },
    ],
    models.map(({ path, sizeBytes, perplexityRatio, divergence, topAgreement }) => [
      nameOf(path),
      formatBytes(sizeBytes),
      perplexityRatio.value.toFixed(4),
      number(divergence.mean.value, 3),
      number(divergence.percentile99.value, 3),
      percent(topAgreement.value),
    ]),
    width,
  );
}

function rangeOf({ low, high }: Estimate, show: (value: number) => string): string {
  return low === null || high === null ? 'one chunk has none' : `${show(low)} to ${show(high)}`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

/** Significant digits, with an exponent below a ten-thousandth. */
function number(value: number, digits: number): string {
  if (value === 0) return '0';
  if (Math.abs(value) < 1e-4) return value.toExponential(digits - 1);
  const decimals = Math.max(0, digits - 1 - Math.floor(Math.log10(Math.abs(value))));
  return value.toFixed(decimals);
}
