/** JSON Schema of the compatible APIs. Their requests are validated field by field, so zod has no schema of them. */
import { describeRunParameters, type ParameterDescription, parameterSchemas } from '@gptj-cloud/decoding';
import { runCreateSchema } from '@gptj-cloud/protocol';
import { z } from 'zod';
import type { JsonSchema } from '../http/openapi/operation.ts';

export const text: JsonSchema = { type: 'string' };

export const object = (
  properties: Readonly<Record<string, JsonSchema>>,
  required: readonly string[] = [],
): JsonSchema => ({ type: 'object', required, properties });

export const list = (items: JsonSchema): JsonSchema => ({ type: 'array', items });
export const number = (description: string): JsonSchema => ({ type: 'number', description });
export const integer = (description: string): JsonSchema => ({ type: 'integer', description });
export const flag = (description: string): JsonSchema => ({ type: 'boolean', description });

/** `generate`'s parameters, which these APIs take beside fields of their own. */
export const generateParameters: Readonly<Record<string, JsonSchema>> = parameterSchemas('5.18');

/** The data of a run: a prompt and parameters, in the order of the pipeline's inputs. */
const runData: JsonSchema = {
  type: 'array',
  description: 'The prompt, and an object of parameters; `{}` is enough.',
  minItems: 2,
  maxItems: 2,
  prefixItems: [
    {
      description: 'The prompt, as text or as token ids.',
      oneOf: [
        { type: 'string', minLength: 1 },
        { type: 'array', minItems: 1, items: { type: 'integer', minimum: 0 } },
      ],
    },
    { type: 'object', properties: parametersOf(describeRunParameters('5.18')) },
  ],
};

/** The body of a run, with the parameters that its data may have. */
export const runBody: JsonSchema = withData(runCreateSchema);

function withData(schema: z.ZodType): JsonSchema {
  const { $schema: _, properties, ...described } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  return { ...described, properties: { ...properties, data: runData } };
}

function parametersOf(catalogue: readonly ParameterDescription[]): Readonly<Record<string, JsonSchema>> {
  const accepted = catalogue.filter(({ effect }) => effect !== 'refused');
  return Object.fromEntries(accepted.map(({ name, schema }) => [name, schema]));
}
