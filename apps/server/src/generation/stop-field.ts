import type { JsonValue } from '@gptj-cloud/pickle';
import type { FieldReader } from './field-reader.ts';

/**
 * The stop strings of a request: `stop`, and `stop_sequences` as the Inference API spells it. Either is one string or an
 * array; an empty array means none. `generate` checks the strings and their number.
 */
export function readStops(read: FieldReader): readonly JsonValue[] {
  return ['stop', 'stop_sequences'].flatMap((name) => read.value(name) ?? []);
}
