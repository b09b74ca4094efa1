/** A server process on the PostgreSQL of DATABASE_URL that generates a letter every few milliseconds and prints its address. */
import { openPostgres } from '../store/postgres.ts';
import { createScriptedEngine } from './scripted-engine.ts';
import { serveComposition } from './serve-composition.ts';

const TOKEN_MS = 10;
const LETTERS = 100;

const engine = createScriptedEngine(() => ({
  sequences: [Array.from({ length: LETTERS }, (_, at) => 97 + ((at * 7) % 26))],
  pause: () => new Promise((resolve) => setTimeout(resolve, TOKEN_MS)),
}));
const store = await openPostgres(process.env.DATABASE_URL ?? '');
const timing = { leaseMs: 2_000, heartbeatMs: 500, pollMs: 100 };
const { url } = await serveComposition({ store, engine, timing });
process.stdout.write(`listens on ${url}\n`);
