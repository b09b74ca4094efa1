import { showValue } from '@gptj-cloud/decoding';
import type { JsonValue } from '@gptj-cloud/pickle';
import { ApiError } from '@gptj-cloud/protocol';

export interface IntegerBounds {
  readonly min: number;
  readonly max?: number;
}

/**
 * Reads a request's fields one by one and checks them. Every method returns undefined for a field that is absent, and
 * throws `invalid_parameter` with the field's name.
 */
export interface FieldReader {
  value(name: string): JsonValue | undefined;
  text(name: string): string | undefined;
  boolean(name: string): boolean | undefined;
  integer(name: string, bounds: IntegerBounds): number | undefined;
  number(name: string, min: number, max: number): number | undefined;
  object(name: string): ReadonlyMap<string, JsonValue> | undefined;
  /** The fields that were not read. */
  rest(): ReadonlyMap<string, JsonValue>;
}

/** `prefix` stands before names in messages: `parameters.` for an inner object. */
export function createFieldReader(fields: ReadonlyMap<string, JsonValue>, prefix = ''): FieldReader {
  const left = new Map(fields);
  const value = (name: string): JsonValue | undefined => {
    const found = left.get(name);
    left.delete(name);
    return found ?? undefined;
  };
  const checked = <Value>(name: string, expected: string, check: (found: JsonValue) => Value | undefined) => {
    const found = value(name);
    if (found === undefined) return undefined;
    const result = check(found);
    if (result === undefined) throw refuseField(prefix + name, expected, found);
    return result;
  };
  return {
    value,
    text: (name) => checked(name, 'a string', (found) => (typeof found === 'string' ? found : undefined)),
    boolean: (name) => checked(name, 'true or false', (found) => (typeof found === 'boolean' ? found : undefined)),
    integer: (name, { min, max = Number.MAX_SAFE_INTEGER }) =>
      checked(
        name,
        max === Number.MAX_SAFE_INTEGER ? `an integer of at least ${min}` : `an integer from ${min} to ${max}`,
        (found) =>
          typeof found === 'number' && Number.isSafeInteger(found) && found >= min && found <= max ? found : undefined,
      ),
    number: (name, min, max) =>
      checked(name, `a number from ${min} to ${max}`, (found) =>
        typeof found === 'number' && found >= min && found <= max ? found : undefined,
      ),
    object: (name) => checked(name, 'an object', toFields),
    rest: () => left,
  };
}

/** The fields of an object without those that are null; undefined for anything else. */
export function toFields(value: JsonValue): ReadonlyMap<string, JsonValue> | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return new Map(Object.entries(value).filter(([, field]) => field !== null));
}

/** The error for a field whose value is wrong. */
export function refuseField(name: string, expected: string, got: JsonValue): ApiError {
  return refuseOption(name, `expected ${expected}, got ${showValue(got)}`);
}

/** The error for a field. `reason`: why it is refused, and what to do. */
export function refuseOption(name: string, reason: string): ApiError {
  return new ApiError('invalid_parameter', { reason: `${name}: ${reason}` }, { details: { parameters: [name] } });
}
