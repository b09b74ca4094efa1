/**
 * One connection of a process outside of the pool, which lasts: it hears hints of other processes, and holds the lock of the
 * elected one. A connection that breaks loses both, and the next round makes another. Hints are lost meanwhile.
 */
import pg from 'pg';

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
const CONNECT_TIMEOUT_MS = 10_000;
/** Interval at which a process that is not elected tries again. */
const ELECTION_MS = 5_000;
/** The database notices within a minute that the network has lost the elected process. */
const KEEPALIVE = '-c tcp_keepalives_idle=30 -c tcp_keepalives_interval=10 -c tcp_keepalives_count=3';

export function openStoreSession(url: string, onHint: (text: string) => void): StoreSession {
  let current: pg.Client | null = null;
  let connecting: Promise<void> | null = null;
  /** Duties that this process has. */
  const held = new Set<Duty>();
  const triedAt = new Map<Duty, number>();
  let closed = false;

  const forget = (client: pg.Client): void => {
    if (current !== client) return;
    current = null;
    held.clear();
  };
  const connect = async (): Promise<void> => {
    const client = new pg.Client({
      connectionString: url,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      keepAlive: true,
      application_name: 'gptj-cloud session',
      options: KEEPALIVE,
    });
    client.on('error', () => forget(client));
    client.on('end', () => forget(client));
    client.on('notification', ({ payload }) => onHint(payload ?? ''));
    try {
      await client.connect();
      await client.query(`LISTEN ${HINT_CHANNEL}`);
    } catch (error) {
      // A standby, for one, refuses to listen: the next round connects again.
      void client.end().catch(() => undefined);
      throw error;
    }
    if (closed) await client.end();
    else current = client;
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
      const client = current;
      const sinceTry = performance.now() - (triedAt.get(duty) ?? Number.NEGATIVE_INFINITY);
      if (client === null || held.has(duty) || sinceTry < ELECTION_MS) return held.has(duty);
      triedAt.set(duty, performance.now());
      const { rows } = await client.query('SELECT pg_try_advisory_lock($1) AS has_lock', [ELECTION_LOCKS[duty]]);
      if (current === client && rows[0]?.has_lock === true) held.add(duty);
      return held.has(duty);
    },
    async close() {
      closed = true;
      await connecting?.catch(() => undefined);
      const client = current;
      current = null;
      held.clear();
      await client?.end().catch(() => undefined);
    },
  };
}
