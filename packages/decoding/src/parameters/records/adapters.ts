import { type AdapterUse, MAX_ADAPTER_SCALE, MAX_ADAPTERS_PER_SEQUENCE } from '@gptj-cloud/model';
import { ParameterError } from '../../parameter-error.ts';
import { nearestName } from '../nearest-name.ts';
import { BOTH_VERSIONS, type ParameterRecord, type ParameterSituation } from '../parameter-record.ts';
import { toList } from '../read-list.ts';
import { type Fields, refuse, refuseUnknownFields, toFields, toNumber, toText } from '../read-value.ts';

/** Which adapters change the model for a request. */
export interface AdapterConfig {
  /** Each at most once; empty: the model as it is. */
  readonly lora: readonly AdapterUse[];
}

/** Names in one error. */
const MAX_SHOWN_NAMES = 20;

export const ADAPTER_PARAMETERS: readonly ParameterRecord[] = [
  {
    name: 'lora',
    group: 'other',
    versions: BOTH_VERSIONS,
    own: true,
    help: 'LoRA adapters that change the model for this request, by the names under which gptj adapter add stored them, each at a scale (default 1, as trained); requests with different adapters are computed side by side.',
    value: {
      type: 'json',
      form: '[{"name": …, "scale": …}, …]',
      schema: {
        type: 'array',
        maxItems: MAX_ADAPTERS_PER_SEQUENCE,
        items: {
          type: 'object',
          required: ['name'],
          properties: {
            name: { type: 'string', minLength: 1 },
            scale: { type: 'number', minimum: -MAX_ADAPTER_SCALE, maximum: MAX_ADAPTER_SCALE, default: 1 },
          },
          additionalProperties: false,
        },
      },
    },
    read: (fields, situation) => ({ lora: readLora(fields, situation) }),
  },
];

function readLora(fields: Fields, { context }: ParameterSituation): readonly AdapterUse[] {
  const value = fields.get('lora');
  if (value === undefined) return [];
  const shape = { what: 'an array of {name, scale}', max: MAX_ADAPTERS_PER_SEQUENCE };
  const uses = toList('lora', value, shape, readUse);
  const names = uses.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice !== undefined) refuse('lora', 'every adapter once', twice);
  const { adapters } = context;
  if (adapters !== undefined) {
    for (const name of names) if (!adapters.includes(name)) throw unknownAdapter(name, adapters);
  }
  return uses;
}

function readUse(entry: unknown): AdapterUse {
  const fields = toFields('lora', entry);
  refuseUnknownFields('lora', fields, ['name', 'scale']);
  const name = toText('lora', fields.get('name'), 'the name of an adapter');
  const bounds = { min: -MAX_ADAPTER_SCALE, max: MAX_ADAPTER_SCALE };
  return { name, scale: toNumber('lora', fields.get('scale') ?? 1, bounds) };
}

function unknownAdapter(name: string, adapters: readonly string[]): ParameterError {
  const got = JSON.stringify(name.slice(0, 100));
  if (adapters.length === 0) {
    return new ParameterError(
      'invalid_parameter',
      ['lora'],
      `lora: expected no adapters, as this model has none, got ${got}; gptj adapter add stores one`,
    );
  }
  const nearest = nearestName(name, adapters);
  const shown = adapters.slice(0, MAX_SHOWN_NAMES).join(', ');
  const more = adapters.length > MAX_SHOWN_NAMES ? ` and ${adapters.length - MAX_SHOWN_NAMES} more` : '';
  return new ParameterError(
    'invalid_parameter',
    ['lora'],
    `lora: expected an adapter of this model (${shown}${more}), got ${got}${nearest === null ? '' : `; did you mean ${nearest}?`}`,
  );
}
