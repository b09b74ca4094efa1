import { mergeGenerationConfig } from '@gptj-cloud/decoding';
import type { JsonValue } from '@gptj-cloud/pickle';
import { toFields } from './field-reader.ts';

/** `mergeGenerationConfig` for the JSON of a request. `names`: the API's names for parameters of `generate`. */
export function callerFields(
  fields: ReadonlyMap<string, JsonValue>,
  names: ReadonlyMap<string, string> = new Map(),
): ReadonlyMap<string, JsonValue> {
  return mergeGenerationConfig(fields, toFields, names);
}
