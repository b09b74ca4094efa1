/** Nodes in the store. Every time is the database's. */
import { randomBytes } from 'node:crypto';
import { CAPABILITIES } from '@gptj-cloud/engine';
import { and, eq, gt, isNotNull, lt, ne, notExists, type SQL, sql } from 'drizzle-orm';
import type { Database } from '../../store/db.ts';
import { withoutSync } from '../../store/without-sync.ts';
import { runs } from '../run-tables.ts';
import { nodeSecret, nodes } from './node-tables.ts';

/** A node that has not reported for this long counts as ended. */
const LIVE_SECONDS = 30;
/** Rows of nodes that ended without deleting theirs are kept so long: their runs name them. */
const KEPT_DAYS = 1;

const ago = (seconds: number) => sql`now() - make_interval(secs => ${seconds})`;

/** A node that has reported after this time counts as alive. */
export const liveSince: SQL = ago(LIVE_SECONDS);

/** A living node with an engine. */
export const isComputing: SQL | undefined = and(gt(nodes.slots, 0), gt(nodes.beatAt, liveSince));

/** What a node computes, as it reports it. */
export interface NodeLoad {
  /** Runs that it executes at a time; 0: it has no engine. */
  readonly slots: number;
  /** Runs and direct generations under way. */
  readonly busy: number;
  readonly isDraining: boolean;
  /** Names of its models. */
  readonly models: readonly string[];
  /** What its engines have of what requests may need. Default: all. */
  readonly capabilities?: readonly string[];
}

/** What a node learns of the others when it reports. */
export interface OtherNodes {
  /** A living node is of a release that signs requests without their time. */
  readonly hasUntimed: boolean;
}

/** Report that a node is alive, and its load. The first report makes its row. The next report makes up for one that the database loses. */
export async function beatNode(
  db: Database,
  { id, url, load }: { readonly id: string; readonly url: string | null; readonly load: NodeLoad },
): Promise<OtherNodes> {
  const report = { ...load, models: [...load.models], capabilities: [...(load.capabilities ?? CAPABILITIES)] };
  const [others] = await db
    .insert(nodes)
    .values({ id, url, signsTime: true, ...report })
    .onConflictDoUpdate({ target: nodes.id, set: { beatAt: sql`now()`, ...report } })
    .returning({
      hasUntimed: sql<boolean>`EXISTS (SELECT 1 FROM nodes n WHERE NOT n.signs_time AND n.beat_at > ${liveSince})`,
      committed: withoutSync,
    });
  return { hasUntimed: others?.hasUntimed ?? true };
}

/** A living node with an engine that others reach. */
export interface EngineNode {
  readonly id: string;
  readonly url: string;
  readonly slots: number;
  readonly busy: number;
  readonly models: readonly string[];
  /** Of what requests may need; null: its version does not report it. */
  readonly capabilities: readonly string[] | null;
  /** When it last reported. */
  readonly beatAt: Date;
}

/** The nodes that take generations of other nodes. */
export async function findEngineNodes(db: Database): Promise<readonly EngineNode[]> {
  const { id, url, slots, busy, models, capabilities, beatAt } = nodes;
  const rows = await db
    .select({ id, url, slots, busy, models, capabilities, beatAt })
    .from(nodes)
    .where(and(isNotNull(url), eq(nodes.isDraining, false), isComputing));
  return rows.flatMap(({ url, ...node }) => (url === null ? [] : [{ ...node, url }]));
}

/** What a living node serves. */
export interface LivingNode extends Pick<EngineNode, 'slots' | 'models' | 'capabilities'> {}

/** `models` are none of a node whose version does not report them. */
export async function findLivingNodes(db: Database): Promise<readonly LivingNode[]> {
  const { slots, models, capabilities } = nodes;
  return await db.select({ slots, models, capabilities }).from(nodes).where(gt(nodes.beatAt, liveSince));
}

/** Whether a node computes requests of a model with this need. */
export function canCompute(node: LivingNode, model: string, capability: string): boolean {
  return isServing(node, model) && (node.capabilities?.includes(capability) ?? true);
}

/** Whether a node computes requests of a model. */
export function isServing({ slots, models }: LivingNode, model: string): boolean {
  return slots > 0 && models.includes(model);
}

export async function removeNode(db: Database, id: string): Promise<void> {
  await db.delete(nodes).where(eq(nodes.id, id));
}

export async function removeEndedNodes(db: Database): Promise<void> {
  await db.delete(nodes).where(lt(nodes.beatAt, ago(KEPT_DAYS * 86_400)));
}

/** Addresses of the other living nodes. */
export async function findOtherUrls(db: Database, id: string): Promise<readonly string[]> {
  const rows = await db
    .select({ url: nodes.url })
    .from(nodes)
    .where(and(ne(nodes.id, id), gt(nodes.beatAt, liveSince)));
  return rows.flatMap(({ url }) => url ?? []);
}

/** The secret of the store's nodes, which the first of them makes. */
export async function ensureNodeSecret(db: Database): Promise<string> {
  const secret = randomBytes(32).toString('hex');
  await db.insert(nodeSecret).values({ secret }).onConflictDoNothing();
  const [row] = await db.select({ secret: nodeSecret.secret }).from(nodeSecret);
  return row?.secret ?? secret;
}

/** Where a run is executed. */
export interface RunPlace {
  readonly hasEnded: boolean;
  /** Its node keeps its events; else a client waits for its end alone. */
  readonly isLogged: boolean;
  /** The node that executes the run, or executed it last; null while it waits. */
  readonly node: string | null;
  /** Of that node; null unless it is alive and others reach it. */
  readonly url: string | null;
}

/** For each run its place; null for one that is gone. */
export async function findRunPlaces(db: Database, ids: readonly string[]): Promise<readonly (RunPlace | null)[]> {
  const rows = await db
    .select({
      id: runs.id,
      hasEnded: sql<boolean>`${isNotNull(runs.endedAt)}`,
      isLogged: sql<boolean>`${runs.isAsync} OR ${runs.isStreamed}`,
      node: runs.executedBy,
      url: nodes.url,
    })
    .from(runs)
    .leftJoin(nodes, and(eq(nodes.id, runs.executedBy), gt(nodes.beatAt, liveSince)))
    .where(sql`${runs.id} = ANY(${sql.param([...ids])})`);
  const places = new Map(rows.map(({ id, ...place }) => [id, place]));
  return ids.map((id) => places.get(id) ?? null);
}

/** End the leases whose owner has not reported for their time. The number of runs that wait again. */
export async function endExpiredLeases(db: Database, leaseMs: number): Promise<number> {
  const rows = await db
    .update(runs)
    .set({ leaseOwner: null, leaseExpiresAt: null })
    .where(
      and(
        isNotNull(runs.leaseOwner),
        sql`${runs.leaseExpiresAt} < now()`,
        notExists(
          db
            .select({ id: nodes.id })
            .from(nodes)
            .where(and(eq(nodes.id, runs.leaseOwner), gt(nodes.beatAt, ago(leaseMs / 1000)))),
        ),
      ),
    )
    .returning({ id: runs.id });
  return rows.length;
}
