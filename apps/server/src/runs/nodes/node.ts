/**
 * This process among those that share a store: it reports that it is alive, and proves to others that it belongs to them.
 *
 * States: new → `start`: it has a row and the secret → `close`: its row is gone.
 *
 * A request of another node is accepted once, within half a minute of its signature: a copy of it has no effect. The release
 * before signs without a time. Such requests are accepted while a living node of it reports to the store, from its first report on.
 */
import { isLoopback } from '../../network-address.ts';
import type { Database } from '../../store/db.ts';
import { type Polling, startPolling } from '../../store/polling.ts';
import type { Logger } from '../../telemetry/logger.ts';
import {
  checkRequest,
  type NodeRequest,
  type ReceivedSignature,
  type SignedRequest,
  signRequest,
} from './node-signature.ts';
import {
  beatNode,
  ensureNodeSecret,
  findOtherUrls,
  type NodeLoad,
  removeEndedNodes,
  removeNode,
} from './node-store.ts';
import { createReplayGuard } from './replay-guard.ts';

export interface NodeDeps {
  readonly db: Database;
  readonly id: string;
  /** Where other nodes reach this one, when it listens; null: they do not. */
  readonly url: () => string | null;
  readonly logger: Logger;
  /** The time of the store. */
  readonly clock: () => Date;
  readonly load: () => NodeLoad;
  /** Interval of its reports: a third of the time after which its leases end. */
  readonly beatMs: number;
}

export interface Node {
  readonly id: string;
  start(): Promise<void>;
  /** Null before `start`. */
  sign(request: NodeRequest): SignedRequest | null;
  /**
   * The proof for the reply to a request of another node; null when the request has none, came too late, or came before. It is
   * accepted once.
   */
  check(subject: readonly string[], signature: ReceivedSignature): Promise<string | null>;
  /** Report the load now: it has changed much. Resolves after the report, also where it fails. */
  report(): Promise<void>;
  close(): Promise<void>;
}

/** Interval between two warnings of refused requests: copies may come in any number. */
const WARNING_MS = 60_000;

export function createNode({ db, id, url, logger, clock, load, beatMs }: NodeDeps): Node {
  let secret: string | null = null;
  let hasUntimed = false;
  const replays = createReplayGuard({ now: () => clock().getTime(), acceptsUntimed: () => hasUntimed });
  let polling: Polling | null = null;
  /** The last report beside those of the polling. */
  let reporting: Promise<void> = Promise.resolve();
  let warnedAtMs = Number.NEGATIVE_INFINITY;
  const warnOfRefusal = (reason: string): void => {
    const now = clock().getTime();
    if (now - warnedAtMs < WARNING_MS) return;
    warnedAtMs = now;
    logger.warn('a signed request of another server was refused', { reason });
  };
  const beat = async (): Promise<void> => {
    ({ hasUntimed } = await beatNode(db, { id, url: url(), load: load() }));
  };
  let finding: Promise<void> | null = null;
  /** A server of the release before may have started since the last report: it asks at once. */
  const findUntimed = async (): Promise<void> => {
    if (hasUntimed) return;
    finding ??= beat()
      .catch(() => undefined)
      .finally(() => {
        finding = null;
      });
    await finding;
  };
  return {
    id,
    async start() {
      const own = url();
      await beat();
      secret = await ensureNodeSecret(db);
      await removeEndedNodes(db);
      polling = startPolling(beat, {
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
    sign: (request) => (secret === null ? null : signRequest(secret, request, clock())),
    async check(subject, signature) {
      const checked = secret === null ? null : checkRequest(secret, { node: id, subject }, signature);
      if (checked?.signedAtMs === null) await findUntimed();
      const refusal = checked === null ? null : replays.refusalOf(checked);
      if (checked === null || refusal === null) return checked?.proof ?? null;
      warnOfRefusal(refusal);
      return null;
    },
    report() {
      // The next one comes soon.
      if (polling !== null) reporting = beat().catch(() => undefined);
      return reporting;
    },
    async close() {
      await polling?.stop();
      // It would make the row again.
      await reporting;
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
