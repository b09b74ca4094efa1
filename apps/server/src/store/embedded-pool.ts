/**
 * The embedded PostgreSQL behind node-postgres, the driver of PostgreSQL servers too: features use one driver, and
 * prepared statements keep their plans. Planning a join takes several times as long as executing it.
 */
import type { PGlite } from '@electric-sql/pglite';
import { createPgConfig } from '@electric-sql/pglite/node-postgres';
import pg from 'pg';
import { readBigintsAsNumbers } from './bigint-parser.ts';

/** The code has fewer statements, but `IN` lists of every length could add more. */
const MAX_PREPARED_STATEMENTS = 500;

/** A pool of one connection: PGlite has one session, and a client that holds it has exclusive use of the store. */
export function embeddedPool(pglite: PGlite): pg.Pool {
  readBigintsAsNumbers();
  const { connection, ...config } = createPgConfig(pglite);
  const parse = connection.parse.bind(connection);
  // node-postgres passes result parsers in `types`, which the adapter of PGlite 0.5 mistakes for parameter types.
  connection.parse = ({ name, text }: { readonly name?: string; readonly text: string }) => parse({ name, text });
  const names = new Map<string, string>();
  const nameOf = (text: string): string | null => {
    const known = names.get(text);
    if (known !== undefined) return known;
    if (names.size >= MAX_PREPARED_STATEMENTS) return null;
    const name = `statement_${names.size + 1}`;
    names.set(text, name);
    return name;
  };

  class PreparingClient extends pg.Client {
    constructor(options?: pg.ClientConfig) {
      super({ ...options, ...{ connection } });
    }

    /** Gives each statement with parameters a name, so that the store parses and plans it once. */
    override query(...args: unknown[]): never {
      const [query, values] = args;
      if (hasText(query) && Array.isArray(values) && values.length > 0) {
        const name = nameOf(query.text);
        if (name !== null) args[0] = { ...query, name };
      }
      return Reflect.apply(super.query, this, args) as never;
    }
  }
  return new pg.Pool({ ...config, max: 1, idleTimeoutMillis: 0, Client: PreparingClient });
}

function hasText(query: unknown): query is { readonly text: string } {
  return typeof query === 'object' && query !== null && 'text' in query && typeof query.text === 'string';
}
