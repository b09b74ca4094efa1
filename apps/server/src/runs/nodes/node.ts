/**
 * This process among those that share a store: it reports that it is alive, and proves to others that it belongs to them.
 *
 * States: new → `start`: it has a row and the secret → `close`: its row is gone.
 */
import { isLoopback } from '../../network-address.ts';
import type { Database } from '../../store/db.ts';
import { type Polling, startPolling } from '../../store/polling.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { checkRequest, type EventsRequest, type SignedRequest, signRequest } from './node-signature.ts';
import { beatNode, ensureNodeSecret, findOtherUrls, removeEndedNodes, removeNode } from './node-store.ts';

export interface NodeDeps {
  readonly db: Database;
  readonly id: string;
  /** Where other nodes reach this one, when it listens; null: they do not. */
  readonly url: () => string | null;
  readonly logger: Logger;
  /** Interval of its reports: a third of the time after which its leases end. */
  readonly beatMs: number;
}

export interface Node {
  readonly id: string;
  start(): Promise<void>;
  /** Null before `start`. */
  sign(request: EventsRequest): SignedRequest | null;
  /** The proof for the reply to a request of another node; null when the request has none. */
  check(request: Omit<EventsRequest, 'node'>, authorization: string): string | null;
  close(): Promise<void>;
}

export function createNode({ db, id, url, logger, beatMs }: NodeDeps): Node {
  let secret: string | null = null;
  let polling: Polling | null = null;
  return {
    id,
    async start() {
      const own = url();
      await beatNode(db, { id, url: own });
      secret = await ensureNodeSecret(db);
      await removeEndedNodes(db);
      polling = startPolling(() => beatNode(db, { id, url: own }), {
        everyMs: beatMs,
        onError: (error) => logger.warn('this server could not report that it is alive', { error }),
      });
      const others = await findOtherUrls(db, id);
      const unlike = own === null ? undefined : others.find((other) => isLocalUrl(other) !== isLocalUrl(own));
      if (unlike === undefined) return;
      logger.warn(
        'of two servers on this store one is reached on its own machine alone: streams of its runs cannot be read through the other; set NODE_URL to the address at which the other servers reach it',
        { url: own, other: unlike },
      );
    },
    sign: (request) => (secret === null ? null : signRequest(secret, request)),
    check: (request, authorization) =>
      secret === null ? null : checkRequest(secret, { ...request, node: id }, authorization),
    async close() {
      await polling?.stop();
      // The row ends by itself where the store is gone.
      if (polling !== null) await removeNode(db, id).catch(() => undefined);
      polling = null;
    },
  };
}

function isLocalUrl(url: string): boolean {
  const { hostname } = new URL(url);
  return hostname === 'localhost' || isLoopback(hostname.replace(/^\[|\]$/g, ''));
}
