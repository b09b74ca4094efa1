/**
 * A pool of node-postgres whose broken connections end nothing but the queries on them: every error of a connection has a
 * listener, an outage is thrown as `ApiError` (`store-outage.ts`), any other failure without the values of its query
 * (`query-failure.ts`), and no failure keeps a connection out of the pool.
 * Those who wait for a connection get one in turns by client (`turns.ts`).
 */
import { ApiError } from '@gptj-cloud/protocol';
import pg from 'pg';
import { currentMeter, SERVER_SHARE } from '../telemetry/work-meter.ts';
import { within } from '../within.ts';
import { dropValues, withoutValues } from './query-failure.ts';
import { asOutage } from './store-outage.ts';
import { createTurns, type Payer } from './turns.ts';

export interface GuardedPoolOptions extends pg.PoolConfig {
  /** A connection in use or idle broke, or a query met an outage. The pool replaces the connection. */
  readonly onOutage: (error: unknown) => void;
  /** A query was answered, be it with an error of its own. */
  readonly onAnswer: () => void;
  /** Give each statement with parameters a name, so that the store parses and plans it once. Default false. */
  readonly prepares?: boolean;
  /**
   * Send the first statements of a transaction without waiting for the answer to its BEGIN. Only for a store where no other
   * session can cancel the BEGIN: those statements would then be committed one by one. Default false.
   */
  readonly beginsAhead?: boolean;
  /** A statement is sent: its text. */
  readonly onStatement?: (text: string) => void;
  /** Whether the store accepts no writes because its disk is full. Default: never. */
  readonly isFull?: () => boolean;
}

/** The code has fewer statements, but `IN` lists of every length could add more. */
const MAX_PREPARED_STATEMENTS = 500;
/** How long `end` waits for queries under way. */
const END_TIMEOUT_MS = 5_000;
const DEFAULT_CONNECTIONS = 10;
const DEFAULT_CONNECT_TIMEOUT_MS = 30_000;
/** What the server does by itself. */
const SERVER: Payer = { name: 'server', share: SERVER_SHARE };

type Callback = (error: unknown, ...rest: unknown[]) => void;

export function createGuardedPool(options: GuardedPoolOptions): pg.Pool {
  const {
    onOutage,
    onAnswer,
    onStatement,
    prepares = false,
    beginsAhead = false,
    isFull = () => false,
    ...config
  } = options;
  const nameOf = prepares ? createNames() : () => null;
  /** Reports an outage and returns the error to throw. */
  const report = (thrown: unknown): unknown => {
    // Reported already, by the query inside of this one.
    if (thrown instanceof ApiError) return thrown;
    const error = withoutValues(thrown);
    const outage = asOutage(error, isFull());
    if (outage === error) onAnswer();
    // A store that refuses writes because its disk is full reports that itself.
    else if (!isFull()) onOutage(error);
    return outage;
  };

  const onBreak = (error: unknown): void => onOutage(withoutValues(error));

  const clients = new Set<GuardedClient>();
  const turns = createTurns({
    places: config.max ?? DEFAULT_CONNECTIONS,
    timeoutMs: config.connectionTimeoutMillis ?? DEFAULT_CONNECT_TIMEOUT_MS,
  });
  /** Ends the turn of a client in use. */
  const leaving = new WeakMap<object, () => void>();

  class GuardedClient extends pg.Client {
    constructor(options?: pg.ClientConfig) {
      super(options);
      // The pool listens to idle connections only; an 'error' event without a listener ends the process.
      this.on('error', onBreak);
      clients.add(this);
      this.on('end', () => clients.delete(this));
    }

    override query(...args: unknown[]): never {
      const [query, values] = args;
      onStatement?.(hasText(query) ? query.text : String(query));
      if (hasText(query) && Array.isArray(values) && values.length > 0) {
        const name = nameOf(query.text);
        if (name !== null) args[0] = { ...query, name };
      }
      const callback = args.at(-1);
      if (isCallback(callback)) {
        args[args.length - 1] = (error: unknown, ...rest: unknown[]): void => {
          if (error === null || error === undefined) {
            onAnswer();
            callback(error, ...rest);
          } else {
            dropValues(args);
            callback(report(error), ...rest);
          }
        };
        return Reflect.apply(super.query, this, args) as never;
      }
      const answer: unknown = Reflect.apply(super.query, this, args);
      if (!(answer instanceof Promise)) return answer as never;
      const isAhead = beginsAhead && isBegin(query);
      const reported = answer.then(
        (result: unknown) => {
          onAnswer();
          return result;
        },
        (error: unknown) => {
          if (isAhead) this.destroy();
          else this.#dropAfter(error, query);
          dropValues(args);
          throw report(error);
        },
      );
      if (!isAhead) return reported as never;
      // The statements that follow fail as well: their connection is broken.
      reported.catch(() => {});
      return Promise.resolve() as never;
    }

    #dropAfter(error: unknown, query: unknown): void {
      // The database may still be at it: the next query on this connection would wait behind.
      if (error instanceof Error && /^Query read timeout/.test(error.message)) this.destroy();
      // Drizzle begins a transaction before the block that releases its connection.
      if (!isBegin(query)) return;
      const release: unknown = Reflect.get(this, 'release');
      if (typeof release === 'function') Reflect.apply(release, this, [true]);
    }

    /** Break the connection. */
    destroy(): void {
      const connection: unknown = Reflect.get(this, 'connection');
      if (typeof connection !== 'object' || connection === null) return;
      const stream: unknown = Reflect.get(connection, 'stream');
      if (typeof stream !== 'object' || stream === null) return;
      const destroy: unknown = Reflect.get(stream, 'destroy');
      if (typeof destroy === 'function') Reflect.apply(destroy, stream, []);
    }
  }

  class GuardedPool extends pg.Pool {
    /** The pool reports a connection that breaks during its query before the connection does. */
    override query(...args: unknown[]): never {
      const answer: unknown = Reflect.apply(super.query, this, args);
      if (!(answer instanceof Promise)) return answer as never;
      return answer.catch((error: unknown) => {
        dropValues(args);
        throw report(error);
      }) as never;
    }

    /** Queries that do not end in time are broken off. */
    override end(): never {
      const ended = super.end();
      return within(ended, END_TIMEOUT_MS).then((isEnded) => {
        if (isEnded) return undefined;
        for (const client of clients) client.destroy();
        return ended;
      }) as never;
    }

    override connect(...args: unknown[]): never {
      const [callback] = args;
      if (isCallback(callback)) return this.#connect(callback) as never;
      return new Promise<unknown>((resolve, reject) => {
        this.#connect((error, client) => (isNothing(error) ? resolve(client) : reject(error)));
      }) as never;
    }

    #connect(callback: Callback): void {
      const meter = currentMeter();
      const payer = meter === undefined ? SERVER : { name: meter.payer, share: meter.share };
      const begin = (leave: () => void): void => {
        const connected: Callback = (error, client, ...rest) => {
          if (isNothing(error)) {
            if (typeof client === 'object' && client !== null) leaving.set(client, leave);
            callback(error, client, ...rest);
          } else {
            leave();
            callback(report(error), client, ...rest);
          }
        };
        Reflect.apply(super.connect, this, [connected]);
      };
      // The words of node-postgres, which `asOutage` knows.
      turns.enter(payer, begin, () => callback(report(new Error('timeout exceeded when trying to connect'))));
    }
  }

  // Statements that are sent at once travel together: each waits for the answers to earlier ones in the store alone.
  const pool = new GuardedPool({ ...config, pipeline: true, Client: GuardedClient });
  pool.on('release', (_, client) => {
    const leave = leaving.get(client);
    leaving.delete(client);
    leave?.();
  });
  // An idle connection broke.
  pool.on('error', onBreak);
  return pool;
}

function isNothing(error: unknown): error is null | undefined {
  return error === null || error === undefined;
}

function isCallback(value: unknown): value is Callback {
  return typeof value === 'function';
}

/** The first statement of a transaction of Drizzle. */
function isBegin(query: unknown): boolean {
  return hasText(query) && /^begin\b/.test(query.text);
}

function hasText(query: unknown): query is { readonly text: string } {
  return typeof query === 'object' && query !== null && 'text' in query && typeof query.text === 'string';
}

/** Names by the text of the statement; null when there are too many. */
function createNames(): (text: string) => string | null {
  const names = new Map<string, string>();
  return (text) => {
    const known = names.get(text);
    if (known !== undefined) return known;
    if (names.size >= MAX_PREPARED_STATEMENTS) return null;
    const name = `statement_${names.size + 1}`;
    names.set(text, name);
    return name;
  };
}
