import type { GenerateConfig } from '../generate-config.ts';
import type { ParameterSituation, ValueShape } from './parameter-record.ts';
import { type Fields, refuse, toList } from './read-value.ts';

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
    const list = toList(name, value, 'an array of ones', context.contextLength);
    const ones =
      list.length === 1 && Array.isArray(list[0]) ? toList(name, list[0], 'ones', context.contextLength) : list;
    if (!ones.every((one) => one === 1)) refuse(name, 'ones only (prompts are not padded here)', value);
    return {};
  };
}
