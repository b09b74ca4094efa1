import type { CustomProcessor } from '../generate-config.ts';
import { ParameterError } from '../parameter-error.ts';
import { LIMITS } from './parameter-context.ts';
import { BOTH_VERSIONS, type ParameterRecord, type ParameterSituation } from './parameter-record.ts';
import { type Fields, refuse, refuseUnknownFields, toFields, toList } from './read-value.ts';

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
          type: 'object',
          required: ['type', 'value'],
          properties: { type: { enum: [...types.keys()] }, value: {} },
          additionalProperties: false,
        },
      },
    },
    read: (fields, situation) => ({ customProcessors: readCustomProcessors(fields, situation, types) }),
  };
}

function readCustomProcessors(
  fields: Fields,
  situation: ParameterSituation,
  types: ReadonlyMap<string, ParameterRecord>,
): readonly CustomProcessor[] {
  const name = 'logits_processor';
  const list = toList(name, fields.get(name) ?? [], 'an array of objects {"type", "value"}', LIMITS.customProcessors);
  const processors = list.map((entry) => {
    const form = toFields(name, entry);
    refuseUnknownFields(name, form, ['type', 'value']);
    const type = form.get('type');
    const record = typeof type === 'string' ? types.get(type) : undefined;
    if (record?.read === undefined) return refuse(name, `a type among ${[...types.keys()].join(', ')}`, type);
    if (!form.has('value')) refuse(name, `a value for ${record.name}`, entry);
    const values = record.read(new Map([[record.name, form.get('value')]]), {
      ...situation,
      sampling: true,
      contrastive: false,
    });
    return { type: record.name, config: values };
  });
  const names = processors.map(({ type }) => type);
  const repeated = names.find((type, index) => names.indexOf(type) !== index);
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

function isProcessor(types: ReadonlyMap<string, ParameterRecord>, type: string): boolean {
  return types.get(type)?.processor !== undefined;
}
