import type { GenerateConfig } from '../generate-config.ts';
import type { ParameterSituation, ValueShape } from './parameter-record.ts';
import { toList } from './read-list.ts';
import { type Fields, refuse } from './read-value.ts';

export const MASK_SCHEMA: ValueShape = {
  type: 'json',
  form: '[1, …]',
  schema: { type: 'array', items: { oneOf: [{ const: 1 }, { type: 'array', items: { const: 1 } }] } },
};

/** A reader that refuses masks with zeros: prompts are single and unpadded. */
export function refuseMask(name: string): (fields: Fields, situation: ParameterSituation) => Partial<GenerateConfig> {
  return (fields, { context }) => {
    const value = fields.get(name);
    if (value === undefined) return {};
    const isNested = Array.isArray(value) && value.length === 1 && Array.isArray(value[0]);
    const shape = { what: 'an array of ones', max: context.contextLength };
    toList(name, isNested ? value[0] : value, shape, (one) => {
      if (one !== 1) refuse(name, 'ones only (prompts are not padded here)', value);
    });
    return {};
  };
}
