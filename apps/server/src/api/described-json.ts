/** JSON Schema of the compatible APIs. Their requests are validated field by field, so zod has no schema of them. */
import { parameterSchemas } from '@gptj-cloud/decoding';
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
