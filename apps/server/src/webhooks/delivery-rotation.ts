/**
 * Which webhooks send next. Projects take turns, and the webhooks of a project take turns, so that a long backlog delays
 * only itself. A receiver that has not replied yet, or whose last attempt failed, gets one attempt at a time, and all such
 * receivers together at most half of the slots: the other half is always there for receivers that reply.
 */
import type { WebhookLimits } from './webhook-limits.ts';

/** One webhook with due deliveries. */
export interface Lane {
  readonly webhookId: string;
  readonly projectId: string;
  readonly host: string;
  /** The last attempt to this receiver had a reply. */
  readonly isProven: boolean;
  /** Due deliveries; counted up to what can be sent at a time. */
  readonly due: number;
}

export interface DeliveryRotation {
  /** The number of deliveries to send now, by webhook. Takes the turn of the projects and webhooks in it. */
  choose(lanes: readonly Lane[]): ReadonlyMap<string, number>;
  /** Occupy a slot; call the returned function once, at the end of the attempt. */
  begin(lane: Omit<Lane, 'due'>): () => void;
  readonly sending: number;
}

export type RotationLimits = Pick<WebhookLimits, 'concurrency' | 'concurrencyPerProject' | 'concurrencyPerHost'>;

export function createDeliveryRotation(limits: RotationLimits): DeliveryRotation {
  const sending = new Map<string, number>();
  /** The number of the last turn of a project or webhook that has due deliveries. */
  let turns = new Map<string, number>();
  let turn = 0;
  return {
    choose(lanes) {
      turns = new Map(
        lanes
          .flatMap(({ projectId, webhookId }) => [projectId, webhookId])
          .map((id): [string, number] => [id, turns.get(id) ?? 0]),
      );
      const counts = new Map(sending);
      const chosen = new Map<string, number>();
      const left = new Map(lanes.map((lane) => [lane.webhookId, lane.due]));
      for (;;) {
        const ready = lanes.filter((lane) => (left.get(lane.webhookId) ?? 0) > 0 && hasRoom(counts, lane, limits));
        const next = firstInTurn(ready, turns);
        if (next === undefined) return chosen;
        const { webhookId, projectId } = next;
        turn += 1;
        turns.set(projectId, turn).set(webhookId, turn);
        left.set(webhookId, (left.get(webhookId) ?? 0) - 1);
        chosen.set(webhookId, (chosen.get(webhookId) ?? 0) + 1);
        for (const slot of slotsOf(next)) add(counts, slot, 1);
      }
    },
    begin(lane) {
      const slots = slotsOf(lane);
      for (const slot of slots) add(sending, slot, 1);
      return () => {
        for (const slot of slots) add(sending, slot, -1);
      };
    },
    get sending() {
      return sending.get(ALL) ?? 0;
    },
  };
}

const ALL = 'all';
const UNPROVEN = 'unproven';

/** The counters that an attempt of a lane occupies. */
function slotsOf({ projectId, host, isProven }: Omit<Lane, 'due'>): readonly string[] {
  const slots = [ALL, projectSlot(projectId), hostSlot(host)];
  return isProven ? slots : [...slots, UNPROVEN, receiverSlot(projectId, host)];
}

const projectSlot = (projectId: string): string => `project ${projectId}`;
const hostSlot = (host: string): string => `host ${host}`;
const receiverSlot = (projectId: string, host: string): string => `receiver ${projectId} ${host}`;

function hasRoom(counts: ReadonlyMap<string, number>, lane: Lane, limits: RotationLimits): boolean {
  const isBelow = (slot: string, limit: number): boolean => (counts.get(slot) ?? 0) < limit;
  return (
    isBelow(ALL, limits.concurrency) &&
    isBelow(projectSlot(lane.projectId), limits.concurrencyPerProject) &&
    isBelow(hostSlot(lane.host), limits.concurrencyPerHost) &&
    (lane.isProven ||
      (isBelow(UNPROVEN, Math.max(1, Math.floor(limits.concurrency / 2))) &&
        isBelow(receiverSlot(lane.projectId, lane.host), 1)))
  );
}

/** The lane of the project that has waited longest for its turn, and in it of the webhook that has. */
function firstInTurn(lanes: readonly Lane[], turns: ReadonlyMap<string, number>): Lane | undefined {
  let first: Lane | undefined;
  for (const lane of lanes) {
    if (first === undefined || isBefore(lane, first, turns)) first = lane;
  }
  return first;
}

function isBefore(a: Lane, b: Lane, turns: ReadonlyMap<string, number>): boolean {
  const [projectA, projectB] = [turns.get(a.projectId) ?? 0, turns.get(b.projectId) ?? 0];
  if (projectA !== projectB) return projectA < projectB;
  return (turns.get(a.webhookId) ?? 0) < (turns.get(b.webhookId) ?? 0);
}

function add(counts: Map<string, number>, slot: string, change: number): void {
  const count = (counts.get(slot) ?? 0) + change;
  if (count === 0) counts.delete(slot);
  else counts.set(slot, count);
}
