import type { Database } from '../store/db.ts';

/**
 * The same database, except that `hook` runs after each raw statement has been executed and before its rows reach the caller:
 * what another connection does in that moment.
 */
export function afterStatements(db: Database, hook: () => Promise<void>): Database {
  return new Proxy(db, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (name === 'execute' && typeof value === 'function') {
        return (...given: unknown[]) => hookQuery(Reflect.apply(value, target, given), hook);
      }
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

/** A query builder whose result waits for the hook. */
function hookQuery(builder: unknown, hook: () => Promise<void>): unknown {
  if (typeof builder !== 'object' || builder === null) return builder;
  return new Proxy(builder, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      if (name !== 'then') return (...given: unknown[]) => hookQuery(Reflect.apply(value, target, given), hook);
      return (resolve: (rows: unknown) => void, reject: (error: unknown) => void) =>
        Promise.resolve(target)
          .then(async (rows) => {
            await hook();
            return rows;
          })
          .then(resolve, reject);
    },
  });
}
