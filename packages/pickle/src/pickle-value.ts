/**
 * A Python value read from a pickle. Python's types map to distinct types:
 *
 * | Python        | here                                       |
 * | ------------- | ------------------------------------------ |
 * | None, bool    | `null`, `boolean`                          |
 * | int           | `bigint`, always                           |
 * | float         | `number`, always; NaN and infinities legal |
 * | str           | `string`, lone surrogates kept             |
 * | list          | array                                      |
 * | tuple         | {@link PickleTuple}                        |
 * | dict          | `Map`, in insertion order                  |
 * | anything else | {@link PickleObject}, made by the policy   |
 *
 * A container that the pickle references twice is the same object twice; there are no cycles. Keys of different types
 * are distinct, whereas Python treats 1, 1.0 and True as the same key.
 */
export type PickleValue<T = never> =
  | PickleScalar
  | PickleValue<T>[]
  | PickleTuple<T>
  | Map<PickleScalar, PickleValue<T>>
  | PickleObject<T>;

export type PickleScalar = null | boolean | bigint | number | string;

/** A Python tuple. */
export class PickleTuple<T = never> {
  readonly items: readonly PickleValue<T>[];

  constructor(items: readonly PickleValue<T>[]) {
    this.items = items;
  }
}

/** A value created by the policy: an allowed global, or the result of calling one. Opaque to the machine. */
export class PickleObject<T> {
  readonly value: T;

  constructor(value: T) {
    this.value = value;
  }
}

/** Python type name of a value, for messages. */
export function pythonTypeName(value: PickleValue<unknown>): string {
  if (value === null) return 'None';
  if (Array.isArray(value)) return 'list';
  if (value instanceof PickleTuple) return 'tuple';
  if (value instanceof Map) return 'dict';
  if (value instanceof PickleObject) return 'object';
  switch (typeof value) {
    case 'boolean':
      return 'bool';
    case 'bigint':
      return 'int';
    case 'number':
      return 'float';
    case 'string':
      return 'str';
    default:
      return value satisfies never;
  }
}
