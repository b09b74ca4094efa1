/**
 * What the thread of the embedded store and the thread of the server send each other. Packets of PostgreSQL's protocol are
 * sent as bare bytes, moved and not copied: each packet has exactly one answer, which may be empty.
 */
import type { StoreErrorCode } from '../store-error.ts';

/** What the thread opens. */
export interface WorkerTask {
  /** Null: in memory. */
  readonly folder: string | null;
  readonly tar: Uint8Array<ArrayBuffer> | null;
  /** Keep space beside the folder to open it with when the disk is full. */
  readonly keepsReserve: boolean;
}

export type ToWorker =
  | Uint8Array<ArrayBuffer>
  /** A new connection begins: end a transaction that the last one left open, forget its statements. */
  | { readonly type: 'connect' }
  /** Begin or end reading the folder as a backup: meanwhile no checkpoint gives up parts of the log. */
  | { readonly type: 'backup'; readonly id: number; readonly action: 'start' | 'stop' }
  /** The whole store as a gzipped tar; for a store in memory. */
  | { readonly type: 'dump'; readonly id: number }
  | { readonly type: 'close' };

export type FromWorker =
  | Uint8Array<ArrayBuffer>
  | { readonly type: 'opened' }
  | { readonly type: 'refused'; readonly code: StoreErrorCode; readonly message: string }
  /** The label of a backup that was ended, which goes into it; or the reason of a refusal. */
  | { readonly type: 'backup'; readonly id: number; readonly label: string; readonly error: string | null }
  | { readonly type: 'dumped'; readonly id: number; readonly bytes: Uint8Array<ArrayBuffer> }
  /** The disk has become full, or has room again. */
  | { readonly type: 'disk'; readonly isFull: boolean }
  /** PostgreSQL gave up; the thread ends. */
  | { readonly type: 'died'; readonly reason: string; readonly isFull: boolean }
  | { readonly type: 'closed' };
