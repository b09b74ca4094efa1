import type { JsonValue } from './json-value.ts';
import { PickleError } from './pickle-error.ts';
import { PickleObject, type PickleScalar, PickleTuple, type PickleValue, pythonTypeName } from './pickle-value.ts';

/** A container whose children are still being converted. */
interface OpenContainer {
  readonly children: Iterator<readonly [key: PickleScalar | number, value: PickleValue<unknown>]>;
  readonly put: (key: PickleScalar | number, value: JsonValue) => void;
}

/**
 * The value as plain JSON values: tuples become arrays, dicts become objects without a prototype (so `__proto__` is a
 * key like any other), and a container that is referenced twice is copied. Integers beyond 2^53 are rounded to the
 * nearest double, as `JSON.parse` does.
 *
 * Throws `PickleError`: `not_finite` for NaN and infinities, `no_json_form` for an integer beyond the range of a
 * double, `key_not_string`.
 */
export function toJson(value: PickleValue<unknown>): JsonValue {
  let result: JsonValue = null;
  const open: OpenContainer[] = [
    {
      children: [[0, value] as const].values(),
      put: (_, converted) => {
        result = converted;
      },
    },
  ];
  for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
    const step = top.children.next();
    if (step.done === true) {
      open.pop();
      continue;
    }
    const [key, child] = step.value;
    if (child instanceof Map) {
      const object: { [key: string]: JsonValue } = Object.create(null);
      top.put(key, object);
      open.push({ children: child.entries(), put: (name, converted) => (object[stringKey(name)] = converted) });
    } else if (child instanceof PickleTuple || Array.isArray(child)) {
      const array: JsonValue[] = [];
      top.put(key, array);
      open.push({
        children: (Array.isArray(child) ? child : child.items).entries(),
        put: (_, converted) => array.push(converted),
      });
    } else if (child instanceof PickleObject) {
      throw new PickleError('no_json_form', 'expected plain data, got an object', null);
    } else {
      top.put(key, scalarToJson(child));
    }
  }
  return result;
}

function scalarToJson(value: PickleScalar): JsonValue {
  if (typeof value === 'bigint') {
    const number = Number(value);
    if (!Number.isFinite(number)) {
      throw new PickleError('no_json_form', 'expected an int below 2^1024, got a larger one; send it as a str', null);
    }
    return number;
  }
  if (typeof value === 'number' && !Number.isFinite(value)) {
    throw new PickleError('not_finite', `expected finite floats, got ${value}; send None or a number`, null);
  }
  return value;
}

function stringKey(key: PickleScalar): string {
  if (typeof key === 'string') return key;
  throw new PickleError('key_not_string', `expected dict keys of type str, got ${pythonTypeName(key)}`, null);
}
