import type { JsonValue } from '@gptj-cloud/pickle';

/**
 * A field of stop strings, as an array: APIs take one string in its place, and an empty array for none. `generate` checks
 * the strings and their number.
 */
export function toStopList(value: JsonValue | undefined): readonly JsonValue[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value : [value];
}
