import type { WireError } from './wire-error.ts';

/** Messages to a worker thread, one at a time: the next task is sent after the reply to the last one. */
export interface ToWorker {
  readonly job: string;
  readonly input: unknown;
}

export type FromWorker =
  /** The thread has its tools and takes tasks. */
  | { readonly kind: 'ready' }
  /** What the task is at, for the error when it takes too long; null: the whole of it again. */
  | { readonly kind: 'stage'; readonly what: string | null }
  | { readonly kind: 'done'; readonly output: unknown; readonly ms: number }
  | { readonly kind: 'failed'; readonly error: WireError; readonly ms: number };
