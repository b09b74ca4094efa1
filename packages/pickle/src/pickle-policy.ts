import type { PickleObject, PickleValue } from './pickle-value.ts';

/**
 * What a pickle may do beyond plain data. The machine itself runs nothing and knows no class: each opcode that would
 * make or change a Python object becomes a call of one of these hooks, and without the hook it is refused. A hook
 * that returns undefined refuses, too; one that throws ends the reading with its own error.
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
  /** BUILD: `target` with the given `__setstate__` or `__dict__` state; the answer takes its place (mostly `target`). */
  build?(target: PickleValue<T>, state: PickleValue<T>): PickleValue<T> | undefined;
}
