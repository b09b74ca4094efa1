import type { PickleObject, PickleValue } from './pickle-value.ts';

/**
 * What a pickle may do beyond plain data. The machine executes no Python code and knows no class: each opcode that would
 * make or change a Python object calls one of these hooks; without the hook the opcode is refused. A hook refuses by
 * returning undefined; an exception of a hook propagates to the caller.
 */
export interface PicklePolicy<T = never> {
  /** Dict keys: strings only, or any str, int, float, bool or None. */
  readonly keys: 'string' | 'primitive';
  /** GLOBAL, STACK_GLOBAL: a token for the named class or function. */
  global?(module: string, name: string): PickleObject<T> | undefined;
  /** BINPERSID: the object stored outside the pickle under `id`. */
  persistentLoad?(id: PickleValue<T>): PickleValue<T> | undefined;
  /** REDUCE `callable(*args)` and NEWOBJ `callable.__new__(callable, *args)`. */
  reduce?(callable: PickleObject<T>, args: readonly PickleValue<T>[]): PickleValue<T> | undefined;
  /** BUILD: `target` with the given `__setstate__` or `__dict__` state; the returned value replaces it (usually `target`). */
  build?(target: PickleValue<T>, state: PickleValue<T>): PickleValue<T> | undefined;
}
