/**
 * The ordered list of processors and warpers of a configuration. Greedy decoding and sampling send raw logits through
 * it, the beam searches log-probabilities.
 */
import type { TokenId } from '@gptj-cloud/model';
import type { GenerateConfig } from './generate-config.ts';
import { each, inOrder, type LogitsProcessor, type LogitsRow } from './logits-processor.ts';
import type { ParameterRecord, ProcessorContext } from './parameters/parameter-record.ts';
import { PARAMETERS } from './parameters/parameter-table.ts';
import { PROCESSOR_ORDER } from './parameters/processor-order.ts';
import type { AllowedNext } from './processors/allowed-tokens.ts';
import { type Warper, warpPossibleTokens } from './warpers/possible-tokens.ts';

/** The processors of a configuration in order. */
export interface LogitsProcessorList {
  readonly process: LogitsProcessor;
  /** Applied after `process`: warpers when sampling. Compat 4.25 adds the beam score before it, 5.18 after it. */
  readonly warp: LogitsProcessor;
}

/** The processors of a configuration for a prompt. `allowedNext` implements `prefix_allowed_tokens_fn`. */
export function buildLogitsProcessors(
  config: GenerateConfig,
  prompt: readonly TokenId[],
  allowedNext: AllowedNext | null,
  table: readonly ParameterRecord[] = PARAMETERS,
): LogitsProcessorList {
  const records = inProcessorOrder(config, table);
  const processors = withCustomProcessors(config, { prompt, allowedNext }, records, table);
  const warpers = config.doSample ? [warpWith(orderedWarpers(config, records))] : [];
  const final = records.map(({ finalProcessor }) => finalProcessor?.(config) ?? null).filter((one) => one !== null);
  // Compat 4.25 renormalises after the processors, and after the warpers as well.
  return config.compat === '5.18'
    ? { process: inOrder(processors), warp: inOrder([...warpers, ...final]) }
    : { process: inOrder([...processors, ...final]), warp: inOrder(config.doSample ? [...warpers, ...final] : []) };
}

/** Apply the whole list. */
export function applyLogitsProcessors(processors: LogitsProcessorList, rows: readonly LogitsRow[]): void {
  processors.process(rows);
  processors.warp(rows);
}

/** The records of the configuration's version in the order in which it applies them. */
function inProcessorOrder({ compat }: GenerateConfig, table: readonly ParameterRecord[]): readonly ParameterRecord[] {
  const order = PROCESSOR_ORDER[compat];
  const byName = new Map(table.map((record) => [record.name, record]));
  const known = new Set(Object.values(PROCESSOR_ORDER).flat());
  const listed = order.map((name) => byName.get(name)).filter((record) => record !== undefined);
  return [...listed, ...table.filter(({ name, versions }) => !known.has(name) && versions.includes(compat))];
}

/** A custom processor replaces the built-in one of its type; the others follow in the given order. */
function withCustomProcessors(
  config: GenerateConfig,
  context: ProcessorContext,
  records: readonly ParameterRecord[],
  table: readonly ParameterRecord[],
): readonly LogitsProcessor[] {
  const custom = new Map(
    config.customProcessors.map(({ type, config: values }) => {
      const record = table.find(({ name }) => name === type);
      return [
        type,
        record === undefined ? null : customProcessor(record, { ...config, ...NO_FORCED_TOKENS, ...values }, context),
      ];
    }),
  );
  const builtIn = records.flatMap((record) => {
    const processor = record.processor?.(config, context) ?? null;
    return processor === null ? [] : [{ name: record.name, processor }];
  });
  const names = new Set(builtIn.map(({ name }) => name));
  const added = [...custom].filter(([name]) => !names.has(name)).map(([, processor]) => processor);
  return [
    ...builtIn.map(({ name, processor }) => (custom.has(name) ? (custom.get(name) ?? null) : processor)),
    ...added,
  ].filter((processor) => processor !== null);
}

/** `begin_suppress_tokens` in `logits_processor` does not wait for forced tokens. */
const NO_FORCED_TOKENS: Partial<GenerateConfig> = { forcedBosTokenId: null, forcedDecoderIds: [] };

/** The processor of one entry of `logits_processor`. A warper acts there in every mode. */
function customProcessor(
  record: ParameterRecord,
  config: GenerateConfig,
  context: ProcessorContext,
): LogitsProcessor | null {
  const warper = record.warper?.(config, tokensToKeep(config)) ?? null;
  return record.processor?.(config, context) ?? (warper === null ? null : warpWith([warper]));
}

function orderedWarpers(config: GenerateConfig, records: readonly ParameterRecord[]): readonly Warper[] {
  const keep = tokensToKeep(config);
  const first = config.filterBeforeTemperature ? records.filter(({ name }) => name !== 'temperature') : records;
  const last = config.filterBeforeTemperature ? records.filter(({ name }) => name === 'temperature') : [];
  return [...first, ...last].map(({ warper }) => warper?.(config, keep) ?? null).filter((warper) => warper !== null);
}

function warpWith(warpers: readonly Warper[]): LogitsProcessor {
  return each(({ scores }) => warpPossibleTokens(scores, warpers));
}

/** How many tokens a warper must leave: with beams, enough to go on when some of them are EOS. */
function tokensToKeep({ compat, numBeams, eosTokenIds }: GenerateConfig): number {
  if (numBeams === 1) return 1;
  return compat === '4.25' ? 2 : Math.max(eosTokenIds.length, 1) + 1;
}
