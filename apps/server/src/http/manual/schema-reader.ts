import type { JsonSchema } from '../openapi/operation.ts';

/** Named schemas of an OpenAPI document. */
export type Schemas = Readonly<Record<string, JsonSchema>>;

export function isSchema(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Name of the schema that a reference points at. */
export function referenceName(schema: JsonSchema): string | null {
  return /^#\/components\/schemas\/(\w+)$/.exec(typeof schema.$ref === 'string' ? schema.$ref : '')?.[1] ?? null;
}

/** The schema itself, or the one that it refers to, with its own description. */
export function resolveReference(schema: JsonSchema, schemas: Schemas): JsonSchema {
  const name = referenceName(schema);
  if (name === null) return schema;
  const { $ref: _, ...own } = schema;
  return { ...schemas[name], ...own };
}

/** The type of a value in a few words: `string`, `integer ≥ 1 or null`, `array of RunGet`, `"a" or "b"`. */
export function typeText(schema: JsonSchema): string {
  const name = referenceName(schema);
  if (name !== null) return name;
  const choices = [schema.anyOf, schema.oneOf].find(Array.isArray)?.filter(isSchema);
  if (choices !== undefined) return [...new Set(choices.map(typeText))].join(' or ');
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (Array.isArray(schema.enum)) return schema.enum.map((each) => JSON.stringify(each)).join(' or ');
  if (Array.isArray(schema.type)) return schema.type.map((type) => typeText({ ...schema, type })).join(' or ');
  switch (schema.type) {
    case 'array':
      if (Array.isArray(schema.prefixItems)) return `[${schema.prefixItems.filter(isSchema).map(typeText).join(', ')}]`;
      return isSchema(schema.items) ? `array of ${typeText(schema.items)}` : 'array';
    case 'integer':
    case 'number':
      return `${schema.type}${bounds(schema)}`;
    case 'string':
      return `string${schema.format === undefined ? '' : ` (${String(schema.format)})`}`;
    case undefined:
      return isSchema(schema.properties) ? 'object' : 'any value';
    default:
      return String(schema.type);
  }
}

function bounds({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }: JsonSchema): string {
  // The bounds of a safe integer say nothing.
  const isTold = (value: unknown): boolean => typeof value === 'number' && Math.abs(value) < Number.MAX_SAFE_INTEGER;
  const parts = [
    isTold(minimum) ? `≥ ${String(minimum)}` : '',
    isTold(exclusiveMinimum) ? `> ${String(exclusiveMinimum)}` : '',
    isTold(maximum) ? `≤ ${String(maximum)}` : '',
    isTold(exclusiveMaximum) ? `< ${String(exclusiveMaximum)}` : '',
  ].filter((part) => part !== '');
  return parts.length === 0 ? '' : ` ${parts.join(', ')}`;
}
