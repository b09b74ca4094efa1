/**
 * One connection of a process outside of the pool, which lasts: it hears hints of other processes, and holds the lock of the
 * elected one. A connection that breaks loses both, and the next round makes another. Hints are lost meanwhile.
 *
 * A network that loses a connection says nothing to either side. The database then ends the session within a minute and another
 * process gets the lock, so this side asks the database every few seconds, and gives the connection up when no answer comes.
 */
import { Socket } from 'node:net';
import pg from 'pg';
import { storeUnavailable } from './store-outage.ts';

/** What one process of a store does for all. `leases`: any process; `upkeep`: one that answers the API. */
export type Duty = 'leases' | 'upkeep';

export interface StoreSession {
  /** Whether this process is the one elected for a duty. Tries to become it. Rejects while the store cannot be reached. */
  isElected(duty: Duty): Promise<boolean>;
  /** Idempotent. */
  close(): Promise<void>;
}

/** @param onHint gets what a process sent by `NOTIFY` on `HINT_CHANNEL` */
export type OpenStoreSession = (onHint: (text: string) => void) => StoreSession;

export const HINT_CHANNEL = 'gptj_hints';
/** Arbitrary constants. */
const ELECTION_LOCKS: Readonly<Record<Duty, number>> = { leases: 7_024_202_202, upkeep: 7_024_202_203 };
/** Interval at which a process that is not elected tries again. */
const ELECTION_MS = 5_000;
/** A session that has not been answered for this long asks the database before it is relied on. */
const CHECK_MS = 5_000;
/** Longest wait for a connection, and for an answer. With the check: well below the time after which the database gives the lock to another process. */
const ANSWER_MS = 10_000;
/** The database notices within a minute that the network has lost the elected process. */
const KEEPALIVE = '-c tcp_keepalives_idle=30 -c tcp_keepalives_interval=10 -c tcp_keepalives_count=3';

export interface StoreSessionTiming {
  /** Milliseconds, monotonic. Default: those of the process. */
  readonly monotonic?: () => number;
  /** Aborts after that many milliseconds. */
  readonly deadline?: (ms: number) => AbortSignal;
}

interface Connection {
  readonly client: pg.Client;
  readonly socket: Socket;
  /** When the database last answered. */
  answeredAt: number;
  /** The question under way whether the database still answers. */
  checking: Promise<unknown> | null;
}

export function openStoreSession(
  url: string,
  onHint: (text: string) => void,
  { monotonic = () => performance.now(), deadline = (ms) => AbortSignal.timeout(ms) }: StoreSessionTiming = {},
): StoreSession {
  let current: Connection | null = null;
  let connecting: Promise<void> | null = null;
  /** Duties that this process has. */
  const held = new Set<Duty>();
  const triedAt = new Map<Duty, number>();
  let closed = false;

  const forget = (client: pg.Client): void => {
    if (current?.client !== client) return;
    current = null;
    held.clear();
  };
  /** Give the connection up when the work on it fails, or does not end in time. */
  const inTime = async <Value>({ client, socket }: Connection, work: () => Promise<Value>): Promise<Value> => {
    const signal = deadline(ANSWER_MS);
    const giveUp = (): void => {
      forget(client);
      socket.destroy(storeUnavailable('the database did not answer in time'));
    };
    signal.addEventListener('abort', giveUp);
    try {
      return await work();
    } catch (error) {
      forget(client);
      socket.destroy();
      throw error;
    } finally {
      signal.removeEventListener('abort', giveUp);
    }
  };
  const ask = async (connection: Connection, statement: string): Promise<unknown> => {
    const askedAt = monotonic();
    const { rows } = await inTime(connection, () => connection.client.query(statement));
    connection.answeredAt = askedAt;
    return rows[0]?.answer;
  };
  const check = async (connection: Connection): Promise<void> => {
    if (monotonic() - connection.answeredAt < CHECK_MS) return;
    connection.checking ??= ask(connection, 'SELECT 1').finally(() => {
      connection.checking = null;
    });
    await connection.checking;
  };
  const connect = async (): Promise<void> => {
    const socket = new Socket();
    const client = new pg.Client({
      connectionString: url,
      stream: () => socket,
      keepAlive: true,
      application_name: 'gptj-cloud session',
      options: KEEPALIVE,
    });
    client.on('error', () => forget(client));
    client.on('end', () => forget(client));
    client.on('notification', ({ payload }) => onHint(payload ?? ''));
    const connection: Connection = { client, socket, answeredAt: monotonic(), checking: null };
    // A standby, for one, refuses to listen: the next round connects again.
    await inTime(connection, async () => {
      await client.connect();
      await client.query(`LISTEN ${HINT_CHANNEL}`);
    });
    if (closed) await end(connection);
    else current = connection;
  };
  const end = async (connection: Connection): Promise<void> => {
    await inTime(connection, () => connection.client.end()).catch(() => undefined);
  };
  return {
    async isElected(duty) {
      if (closed) return false;
      if (current === null) {
        connecting ??= connect().finally(() => {
          connecting = null;
        });
        await connecting;
        triedAt.clear();
      }
      const connection = current;
      if (connection === null) return false;
      await check(connection);
      const sinceTry = monotonic() - (triedAt.get(duty) ?? Number.NEGATIVE_INFINITY);
      if (current !== connection || held.has(duty) || sinceTry < ELECTION_MS) return held.has(duty);
      triedAt.set(duty, monotonic());
      const hasLock = await ask(connection, `SELECT pg_try_advisory_lock(${ELECTION_LOCKS[duty]}) AS answer`);
      if (current === connection && hasLock === true) held.add(duty);
      return held.has(duty);
    },
    async close() {
      closed = true;
      await connecting?.catch(() => undefined);
      const connection = current;
      current = null;
      held.clear();
      if (connection !== null) await end(connection);
    },
  };
}
