import type { Drafting } from '@gptj-cloud/decoding';
import type { TokenId } from '@gptj-cloud/model';
import type { DraftCounts } from '../../engine-stats.ts';

export type DraftSource = keyof DraftCounts;

/** A generation whose next tokens may be drafted. */
export interface DraftTask {
  /** Identifies the generation. */
  readonly key: object;
  readonly drafting: Drafting;
}

/** What a drafter can do for a generation, and what it costs. */
export interface DraftOffer extends DraftTask {
  readonly maxTokens: number;
  /** Milliseconds before the first draft token. */
  readonly onceMs: number;
  /** Milliseconds of each draft token when as many generations draft together as have an offer. */
  readonly tokenMs: number;
}

/** An offer that is accepted, for up to `length` tokens. */
export interface DraftOrder<Offer extends DraftOffer = DraftOffer> {
  readonly offer: Offer;
  readonly length: number;
}

/** Guesses the next tokens of generations. */
export interface Drafter {
  readonly source: DraftSource;
  /** One offer for each task; null where it has none. */
  offers(tasks: readonly DraftTask[]): readonly (DraftOffer | null)[];
  /**
   * The drafts, perhaps shorter than asked for or empty, in the order of the orders, which are offers of its last
   * `offers()`. Never throws.
   *
   * @param maxMs time for what has to come before the first draft token; what takes longer is done in parts
   */
  draft(orders: readonly DraftOrder[], maxMs: number): Promise<readonly (readonly TokenId[])[]>;
  /** The generation has ended. */
  forget(key: object): void;
  /** Release everything. No draft is under way. */
  close(): void;
}
