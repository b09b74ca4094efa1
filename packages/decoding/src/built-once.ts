import type { Charge } from './work-budget.ts';

/**
 * A function that builds a table from a large value of the parameters, once for all generations that share the value: a
 * request of a thousand prompts has one list of biases. Values are distinguished by identity and must not change, nor may
 * what calls of the table return depend on earlier calls. Each generation is charged as if it had built the table itself.
 */
export function builtOnce<Value extends object, Table>(
  build: (value: Value, charge: Charge) => Table,
): (value: Value, charge: Charge) => Table {
  const built = new WeakMap<Value, { readonly table: Table; readonly steps: number }>();
  return (value, charge) => {
    const known = built.get(value);
    if (known !== undefined) {
      charge(known.steps);
      return known.table;
    }
    let steps = 0;
    const table = build(value, (more) => {
      steps += more;
      charge(more);
    });
    built.set(value, { table, steps });
    return table;
  };
}
