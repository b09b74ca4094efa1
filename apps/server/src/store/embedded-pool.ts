/**
 * The embedded PostgreSQL behind the driver that also speaks to a server: features run on one driver, and statements
 * keep their plans. Planning a join takes several times what answering it takes.
 */
import type { PGlite } from '@electric-sql/pglite';
import { createPgConfig } from '@electric-sql/pglite/node-postgres';
import pg from 'pg';
import { readBigintsAsNumbers } from './bigint-parser.ts';

/** Statements that keep their plan. Ours are fewer; those of lists of all lengths might be more. */
const MAX_STATEMENTS = 500;

/** A pool of one connection: there is one, and whoever has it is alone with the store. */
export function embeddedPool(pglite: PGlite): pg.Pool {
  readBigintsAsNumbers();
  const { connection, ...config } = createPgConfig(pglite);
  const parse = connection.parse.bind(connection);
  // node-postgres gives parsers of results along, which the adapter of PGlite 0.5 takes for types of parameters.
  connection.parse = ({ name, text }: { readonly name?: string; readonly text: string }) => parse({ name, text });
  const names = new Map<string, string>();
  const nameOf = (text: string): string | null => {
    const known = names.get(text);
    if (known !== undefined) return known;
    if (names.size >= MAX_STATEMENTS) return null;
    const name = `statement_${names.size + 1}`;
    names.set(text, name);
    return name;
  };

  class PreparingClient extends pg.Client {
    constructor(options?: pg.ClientConfig) {
      super({ ...options, ...{ connection } });
    }

    /** Every statement with parameters by a name: the store then parses and plans it once. */
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
