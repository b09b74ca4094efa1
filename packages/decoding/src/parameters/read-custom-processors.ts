import type { CustomProcessor } from '../generate-config.ts';
import { ParameterError } from '../parameter-error.ts';
import { LIMITS } from './parameter-context.ts';
import {
  BOTH_VERSIONS,
  type ParameterRecord,
  type ParameterSituation,
  type PromptSituation,
} from './parameter-record.ts';
import { toList } from './read-list.ts';
import { type Fields, refuse, refuseUnknownFields, toFields } from './read-value.ts';
import { jsonSchemaOf } from './value-schema.ts';

/**
 * `logits_processor`: an ordered array of `{"type": "repetition_penalty", "value": 1.2}`, where `type` is the name of one
 * of `records` marked `custom` and `value` has that parameter's form. Warpers given here act in every mode.
 */
export function logitsProcessorParameter(records: readonly ParameterRecord[]): ParameterRecord {
  const types = new Map(records.filter(({ custom }) => custom === true).map((record) => [record.name, record]));
  return {
    name: 'logits_processor',
    group: 'processors',
    versions: BOTH_VERSIONS,
    help: 'Processors that run after the built-in ones and before the warpers, or in place of the one of their type.',
    value: {
      type: 'json',
      form: '[{"type": "name of a parameter", "value": …}, …]',
      schema: {
        type: 'array',
        maxItems: LIMITS.customProcessors,
        items: {
          oneOf: [...types.values()].map(({ name, value }) => ({
            type: 'object',
            required: ['type', 'value'],
            properties: { type: { const: name }, value: jsonSchemaOf(value) },
            additionalProperties: false,
          })),
        },
      },
    },
    read: (fields, situation) => ({ customProcessors: readCustomProcessors(fields, situation, types) }),
    readForPrompt: (fields, situation, { customProcessors = [] }) => ({
      customProcessors: customProcessors.some(({ type }) => dependsOnPrompt(types, type))
        ? forPrompt(fields, situation, customProcessors, types)
        : customProcessors,
    }),
  };
}

function readCustomProcessors(
  fields: Fields,
  situation: ParameterSituation,
  types: ReadonlyMap<string, ParameterRecord>,
): readonly CustomProcessor[] {
  const name = 'logits_processor';
  const entries = readEntries(fields, types);
  const processors = entries.map(({ record, values }) => ({
    type: record.name,
    config: record.read?.(values, { ...situation, ...ALWAYS_ACTIVE }) ?? {},
  }));
  const names = processors.map(({ type }) => type);
  const seen = new Set<string>();
  const repeated = names.find((type) => seen.size === seen.add(type).size);
  // Compat 4.25 refuses a processor whose parameter is given as well; later the entry takes its place.
  const doubled =
    situation.compat === '4.25' ? names.find((type) => isProcessor(types, type) && fields.has(type)) : undefined;
  if (repeated !== undefined || doubled !== undefined) {
    throw new ParameterError(
      'invalid_parameter',
      [name],
      `${name}: expected each processor once, got ${repeated ?? doubled} twice`,
    );
  }
  return processors;
}

interface CustomEntry {
  readonly record: ParameterRecord;
  /** The value, under the name of the record. */
  readonly values: Fields;
}

/** A warper given as a processor acts in every mode. */
const ALWAYS_ACTIVE = { sampling: true, contrastive: false } as const;

function readEntries(fields: Fields, types: ReadonlyMap<string, ParameterRecord>): readonly CustomEntry[] {
  const name = 'logits_processor';
  const shape = { what: 'an array of objects {"type", "value"}', max: LIMITS.customProcessors };
  return toList(name, fields.get(name) ?? [], shape, (entry) => {
    const form = toFields(name, entry);
    refuseUnknownFields(name, form, ['type', 'value']);
    const type = form.get('type');
    const record = typeof type === 'string' ? types.get(type) : undefined;
    if (record === undefined) return refuse(name, `a type among ${[...types.keys()].join(', ')}`, type);
    if (!form.has('value')) refuse(name, `a value for ${record.name}`, entry);
    return { record, values: new Map([[record.name, form.get('value')]]) };
  });
}

/** The processors with the fields that depend on the length of the prompt. */
function forPrompt(
  fields: Fields,
  situation: PromptSituation,
  processors: readonly CustomProcessor[],
  types: ReadonlyMap<string, ParameterRecord>,
): readonly CustomProcessor[] {
  const entries = readEntries(fields, types);
  return processors.map((processor, index) => {
    const { record, values } = entries[index]!;
    const config = record.readForPrompt?.(values, { ...situation, ...ALWAYS_ACTIVE }, processor.config);
    return config === undefined ? processor : { ...processor, config: { ...processor.config, ...config } };
  });
}

function dependsOnPrompt(types: ReadonlyMap<string, ParameterRecord>, type: string): boolean {
  return types.get(type)?.readForPrompt !== undefined;
}

function isProcessor(types: ReadonlyMap<string, ParameterRecord>, type: string): boolean {
  return types.get(type)?.processor !== undefined;
}
