import type { JsonSchema, ValueShape } from './parameter-record.ts';

/** The JSON Schema of a parameter's value. */
export function jsonSchemaOf(value: ValueShape): JsonSchema {
  switch (value.type) {
    case 'number':
    case 'integer':
      return {
        type: value.type,
        ...(value.min === undefined ? {} : { minimum: value.min }),
        ...(value.above === undefined ? {} : { exclusiveMinimum: value.above }),
        ...(value.max === undefined ? {} : { maximum: value.max }),
      };
    case 'boolean':
      return { type: 'boolean' };
    case 'choice':
      return { enum: value.choices };
    case 'json':
      return value.schema;
    default:
      return value satisfies never;
  }
}
