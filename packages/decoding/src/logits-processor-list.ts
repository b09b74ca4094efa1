/**
 * The ordered list of processors and warpers of a configuration. Greedy decoding and sampling send raw logits through
 * it, the beam searches log-probabilities.
 */
import type { TokenId } from '@gptj-cloud/model';
import type { CompatVersion, GenerateConfig } from './generate-config.ts';
import { inOrder, type LogitsProcessor, type LogitsRow, type RowsProcessor } from './logits-processor.ts';
import type { ParameterRecord, ProcessorContext } from './parameters/parameter-record.ts';
import { PARAMETERS } from './parameters/parameter-table.ts';
import { PROCESSOR_ORDER } from './parameters/processor-order.ts';
import type { AllowedNext } from './processors/allowed-tokens.ts';
import { type ChargedWarper, warpPossibleTokens } from './warpers/possible-tokens.ts';
import { type WorkBudget, workBudget } from './work-budget.ts';

/** The processors of a configuration in order. */
export interface LogitsProcessorList {
  readonly process: RowsProcessor;
  /** Applied after `process`: warpers when sampling. Compat 4.25 adds the beam score before it, 5.18 after it. */
  readonly warp: RowsProcessor;
}

/**
 * The processors of a configuration for a prompt. `allowedNext` implements `prefix_allowed_tokens_fn`. Their work is
 * charged to `budget`; each throws `decoding_too_costly` beyond it.
 */
export function buildLogitsProcessors(
  config: GenerateConfig,
  prompt: readonly TokenId[],
  allowedNext: AllowedNext | null,
  table: readonly ParameterRecord[] = PARAMETERS,
  budget: WorkBudget = workBudget(),
): LogitsProcessorList {
  const records = inProcessorOrder(config, table);
  const inputs: Inputs = { prompt, allowedNext, budget };
  const processors = withCustomProcessors(config, inputs, records, table);
  const warpers = config.doSample ? [warpWith(orderedWarpers(config, records, budget))] : [];
  const final = records
    .map((record) => builtBy(record.finalProcessor, config, record, inputs))
    .filter((one) => one !== null);
  // Compat 4.25 renormalises after the processors, and after the warpers as well.
  return config.compat === '5.18'
    ? { process: inOrder(processors), warp: inOrder([...warpers, ...final]) }
    : { process: inOrder([...processors, ...final]), warp: inOrder(config.doSample ? [...warpers, ...final] : []) };
}

/** What every processor of a list is built with. */
interface Inputs {
  readonly prompt: readonly TokenId[];
  readonly allowedNext: AllowedNext | null;
  readonly budget: WorkBudget;
}

function contextOf({ name }: ParameterRecord, { budget, ...inputs }: Inputs): ProcessorContext {
  return {
    ...inputs,
    charge: (steps) => budget.charge(name, steps),
    hold: (bytes) => budget.hold(name, bytes),
  };
}

/** The processor that a record builds; null: it has none, or none for this configuration. */
function builtBy(
  build: ParameterRecord['processor'],
  config: GenerateConfig,
  record: ParameterRecord,
  inputs: Inputs,
): RowsProcessor | null {
  // Most records have none: a prompt of one token takes no longer than the contexts of all records.
  return build === undefined ? null : charged(build(config, contextOf(record, inputs)), record, inputs.budget);
}

/** A processor whose work is charged to the parameter of its record. */
function charged(
  processor: LogitsProcessor | null,
  { name }: ParameterRecord,
  budget: WorkBudget,
): RowsProcessor | null {
  const charge = (steps: number) => budget.charge(name, steps);
  return processor === null ? null : (rows) => processor(rows, charge);
}

/** Apply the whole list. */
export function applyLogitsProcessors(processors: LogitsProcessorList, rows: readonly LogitsRow[]): void {
  processors.process(rows);
  processors.warp(rows);
}

/** By table and version. */
const ordered = new WeakMap<readonly ParameterRecord[], Map<CompatVersion, readonly ParameterRecord[]>>();

/** The records of the configuration's version in the order in which it applies them. */
function inProcessorOrder({ compat }: GenerateConfig, table: readonly ParameterRecord[]): readonly ParameterRecord[] {
  const versions = ordered.get(table) ?? new Map<CompatVersion, readonly ParameterRecord[]>();
  ordered.set(table, versions);
  const known = versions.get(compat) ?? putInOrder(compat, table);
  versions.set(compat, known);
  return known;
}

function putInOrder(compat: CompatVersion, table: readonly ParameterRecord[]): readonly ParameterRecord[] {
  const order = PROCESSOR_ORDER[compat];
  const byName = new Map(table.map((record) => [record.name, record]));
  const known = new Set(Object.values(PROCESSOR_ORDER).flat());
  const listed = order.map((name) => byName.get(name)).filter((record) => record !== undefined);
  return [...listed, ...table.filter(({ name, versions }) => !known.has(name) && versions.includes(compat))];
}

/** A custom processor replaces the built-in one of its type; the others follow in the given order. */
function withCustomProcessors(
  config: GenerateConfig,
  inputs: Inputs,
  records: readonly ParameterRecord[],
  table: readonly ParameterRecord[],
): readonly RowsProcessor[] {
  const custom = new Map(
    config.customProcessors.map(({ type, config: values }) => {
      const record = table.find(({ name }) => name === type);
      return [
        type,
        record === undefined ? null : customProcessor(record, { ...config, ...NO_FORCED_TOKENS, ...values }, inputs),
      ];
    }),
  );
  const builtIn = records.flatMap((record) => {
    const processor = builtBy(record.processor, config, record, inputs);
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
function customProcessor(record: ParameterRecord, config: GenerateConfig, inputs: Inputs): RowsProcessor | null {
  const warper = chargedWarper(config, record, inputs.budget);
  return builtBy(record.processor, config, record, inputs) ?? (warper === null ? null : warpWith([warper]));
}

function chargedWarper(config: GenerateConfig, record: ParameterRecord, budget: WorkBudget): ChargedWarper | null {
  const warper = record.warper?.(config, tokensToKeep(config)) ?? null;
  return warper === null ? null : { warper, charge: (steps) => budget.charge(record.name, steps) };
}

function orderedWarpers(
  config: GenerateConfig,
  records: readonly ParameterRecord[],
  budget: WorkBudget,
): readonly ChargedWarper[] {
  const first = config.filterBeforeTemperature ? records.filter(({ name }) => name !== 'temperature') : records;
  const last = config.filterBeforeTemperature ? records.filter(({ name }) => name === 'temperature') : [];
  return [...first, ...last].map((record) => chargedWarper(config, record, budget)).filter((warper) => warper !== null);
}

function warpWith(warpers: readonly ChargedWarper[]): RowsProcessor {
  return (rows) => {
    for (const { scores } of rows) warpPossibleTokens(scores, warpers);
  };
}

/** How many tokens a warper must leave: with beams, enough to go on when some of them are EOS. */
function tokensToKeep({ compat, numBeams, eosTokenIds }: GenerateConfig): number {
  if (numBeams === 1) return 1;
  return compat === '4.25' ? 2 : Math.max(eosTokenIds.length, 1) + 1;
}
