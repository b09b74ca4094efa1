/**
 * Counts, in the store, the readers of streams at servers that did not accept the run: when its client leaves there, the run goes
 * on for them. Only runs that the leaving of a client ends are counted. A server that dies with readers leaves its count: such a
 * run goes on to its end.
 */
import type { Database } from '../../store/db.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { EventReader } from '../run-events.ts';
import { countFollower } from './follower-store.ts';

/** The same reader, counted until it is closed. */
export async function countReader(db: Database, logger: Logger, id: string, reader: EventReader): Promise<EventReader> {
  try {
    await countFollower(db, id, 1);
  } catch (error) {
    reader.close();
    throw error;
  }
  let isCounted = true;
  return {
    next: () => reader.next(),
    close() {
      reader.close();
      if (!isCounted) return;
      isCounted = false;
      countFollower(db, id, -1).catch((error) =>
        logger.warn('a reader could not be counted out', { run_id: id, error }),
      );
    },
  };
}
