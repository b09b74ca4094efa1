import type { GenerateConfig } from '../generate-config.ts';
import { maxRows } from '../max-rows.ts';
import { ParameterError } from '../parameter-error.ts';
import { leastWatermarkSteps } from '../processors/watermark.ts';
import { STEPS_PER_PATTERN_BYTE } from '../stopping/byte-patterns.ts';
import { dolaSteps } from '../strategies/dola.ts';
import { MAX_STEPS_PER_EVALUATION, MAX_TABLE_BYTES, remedyFor, STEPS } from '../work-budget.ts';
import type { ParameterContext } from './parameter-context.ts';

/**
 * Throws `limit_exceeded` when one evaluation would take more steps than allowed whatever the model computes. What depends
 * on the model is bounded while decoding.
 */
export function checkWork(config: GenerateConfig, context: ParameterContext): void {
  const { vocabSize, promptLength } = context;
  const stopBytes = config.stopStrings.reduce((sum, { length }) => sum + length, 0);
  refuseBeyond(new Map([['stop_strings', STEPS_PER_PATTERN_BYTE * stopBytes]]), MAX_STEPS_PER_EVALUATION, 'the table');
  refuseBeyond(leastSteps(config, vocabSize, promptLength), MAX_STEPS_PER_EVALUATION, 'every step');
  checkKeptOutput(config, config.maxLength - promptLength);
}

/** Bytes of one entry of scores or log-probabilities until the generation ends. */
const ENTRY_BYTES = 64;

/** Throws `limit_exceeded` when the entries kept for the reply, of all beams, would take more memory than allowed. */
function checkKeptOutput(config: GenerateConfig, newTokens: number): void {
  const { output } = config;
  const rows = rowsOf(config);
  const perRow = {
    output_scores: output.rowFormat.type === 'top' ? output.rowFormat.count * kindsOf(config) : 0,
    logprobs: (output.topLogprobs ?? -1) + 1,
  };
  for (const [name, entries] of Object.entries(perRow)) {
    const bytes = ENTRY_BYTES * rows * newTokens * entries;
    if (bytes <= MAX_TABLE_BYTES) continue;
    throw new ParameterError(
      'limit_exceeded',
      [name],
      `${name}: expected at most ${MAX_TABLE_BYTES / ENTRY_BYTES} entries over all beams and steps, got ` +
        `${rows * newTokens * entries}; ${remedyFor(name)}, or lower max_new_tokens`,
    );
  }
}

/** Rows from which tokens are chosen. Contrastive search chooses from one, whatever the number of candidates. */
function rowsOf(config: GenerateConfig): number {
  return config.mode === 'contrastive' ? 1 : maxRows(config) / (config.guidanceScale === 1 ? 1 : 2);
}

function kindsOf({ output }: GenerateConfig): number {
  return Number(output.scores) + Number(output.logits);
}

/** The fewest steps of one evaluation, by parameter. */
function leastSteps(config: GenerateConfig, vocabSize: number, promptLength: number): ReadonlyMap<string, number> {
  const { mode, output, watermark, guidanceScale, doSample } = config;
  const rows = rowsOf(config);
  const cells = rows * vocabSize;
  const shares = new Map<string, number>();
  if (mode === 'score') return shares;
  const isSearch = config.numBeams > 1;
  if (isSearch) shares.set('num_beams', cells * (STEPS.exp + 4 + (doSample ? 2 : 3)));
  else if (doSample) shares.set('num_return_sequences', cells * STEPS.random);
  if (guidanceScale !== 1) shares.set('guidance_scale', cells * (2 * STEPS.exp + 6));
  if (output.topLogprobs !== null && !isSearch) shares.set('logprobs', cells * (STEPS.exp + 2));
  if (output.topLogprobs !== null && output.processed && !isSearch) {
    shares.set('processed_logprobs', cells * (STEPS.exp + 2));
  }
  const kinds = kindsOf(config);
  if (kinds > 0) shares.set('output_scores', kinds * cells * (output.rowFormat.type === 'base64' ? 20 : 5));
  if (config.dolaLayers.length > 0) shares.set('dola_layers', rows * dolaSteps(vocabSize, config.dolaLayers.length));
  if (watermark !== null && promptLength >= watermark.contextWidth) {
    shares.set('watermarking_config', rows * leastWatermarkSteps(watermark, vocabSize));
  }
  if (doSample && config.topK === 0 && seesWholeRow(config)) {
    if (config.topP < 1) shares.set('top_p', cells * (STEPS.exp + 8));
    else if (config.typicalP < 1) shares.set('typical_p', cells * (2 * STEPS.exp + 11));
  }
  return shares;
}

/** Whether no filter before `top_p` and `typical_p` removes tokens. */
function seesWholeRow(config: GenerateConfig): boolean {
  const { topH, minP, allowedTokens, suppressTokens, customProcessors } = config;
  const filters = suppressTokens.length + customProcessors.length;
  return topH === null && minP === null && allowedTokens === null && filters === 0;
}

function refuseBeyond(shares: ReadonlyMap<string, number>, allowed: number, subject: string): void {
  const total = [...shares.values()].reduce((sum, steps) => sum + steps, 0);
  if (total <= allowed) return;
  const [name, share] = [...shares].reduce((largest, entry) => (entry[1] > largest[1] ? entry : largest));
  const show = (count: number) => Math.round(count).toLocaleString('en-US');
  throw new ParameterError(
    'limit_exceeded',
    [name],
    `${name}: ${subject} may take at most ${show(allowed)} steps of work, got at least ${show(total)}, of which ` +
      `${show(share)} are for ${name}; ${remedyFor(name)}`,
  );
}
