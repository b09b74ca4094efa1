/**
 * Drafts of the engine's own choice: for each generation that decodes a single sequence, which drafter guesses its next tokens and
 * how many, by the measured cost of the model's steps, the drafter's cost, and the share of its earlier drafts that agreed.
 *
 * A draft changes the speed, not the text (see `Drafting`), and where it does not pay there is none. The drafters are asked in
 * order: the next one for those generations for which the one before has nothing.
 *
 * States of a generation: unknown → drafted (its run has a draft that is not verified) → settled → drafted … → forgotten.
 */
import type { DraftCounts } from '../../engine-stats.ts';
import type { Generation } from '../generation.ts';
import { NO_MONITOR, type WorkMonitor } from '../work-monitor.ts';
import { Acceptance } from './acceptance.ts';
import type { DraftCosts, DraftPlan } from './draft-costs.ts';
import type { Drafter, DraftOffer, DraftOrder, DraftSource, DraftTask } from './drafter.ts';

export interface SpeculationOptions {
  readonly drafters: readonly Drafter[];
  readonly costs: DraftCosts;
  /** Learns what the thread works on. Default: none. */
  readonly monitor?: WorkMonitor;
}

interface State {
  readonly rates: Map<DraftSource, Acceptance>;
  /** The draft that is being verified. */
  pending: { readonly source: DraftSource; readonly count: number } | null;
}

/** Assumed rate of a drafter without measurements. */
const FIRST_RATE = 0.4;
/** A generation's rate starts at the drafter's average over all of them, but at no less: texts differ. */
const MIN_FIRST_RATE = 0.3;
/** A generation that takes longer on this thread for each of its tokens does not guess token by token: the others would wait for it. */
const MAX_TOKEN_MS = 10;
/** Time before the first draft token where other generations wait, in parts of their step … */
const CATCH_UP_SHARE = 1 / 4;
/** … and where none does. */
const ALONE_CATCH_UP_MS = 100;
const MIN_CATCH_UP_MS = 5;

export class Speculation {
  readonly #options: SpeculationOptions;
  readonly #states = new Map<Generation, State>();
  /** Of all generations. */
  readonly #rates: ReadonlyMap<DraftSource, Acceptance>;
  readonly #counts: Record<DraftSource, { drafted: number; accepted: number }> = {
    lookup: { drafted: 0, accepted: 0 },
    model: { drafted: 0, accepted: 0 },
  };

  constructor(options: SpeculationOptions) {
    this.#options = options;
    this.#rates = new Map(options.drafters.map(({ source }) => [source, new Acceptance(() => FIRST_RATE)]));
  }

  /** Counts since the start, of drafts that are verified. */
  get counts(): DraftCounts {
    const { lookup, model } = this.#counts;
    return { lookup: { ...lookup }, model: { ...model } };
  }

  /**
   * Append drafts to the rows of generations that allow it. Returns those for which a drafter has worked.
   *
   * @param generations those that take part in the next evaluation
   */
  async draft(generations: readonly Generation[]): Promise<readonly Generation[]> {
    const worked = new Set<Generation>();
    const work = generations.map(({ run }) => run?.work.length ?? 0);
    let rows = work.reduce((sum, count) => sum + count, 0);
    let open = generations.flatMap((generation) => {
      const drafting = generation.run?.drafting ?? null;
      return drafting === null ? [] : [{ generation, drafting }];
    });
    // Beside many generations not even drafts that always agree pay: nothing is searched then.
    if (!this.#mayPay(rows, open.length)) open = [];
    for (const drafter of this.#options.drafters) {
      if (open.length === 0) break;
      const tasks = open
        .filter(({ generation }) => drafter.source === 'lookup' || tokenMsOf(generation) <= MAX_TOKEN_MS)
        .map(({ generation, drafting }) => this.#taskOf(generation, drafting));
      const orders = this.#order(drafter, tasks, rows);
      if (orders.length === 0) continue;
      const drafts = await drafter.draft(orders, this.#catchUpMs(rows));
      for (const [i, tokens] of drafts.entries()) {
        const generation = orders[i]!.offer.key as Generation;
        worked.add(generation);
        if (tokens.length === 0) continue;
        generation.run!.draft(tokens);
        this.#stateOf(generation).pending = { source: drafter.source, count: tokens.length };
        rows += tokens.length;
      }
      open = open.filter(({ generation }) => this.#stateOf(generation).pending === null);
    }
    return [...worked];
  }

  /** The generation's strategy has chosen tokens after an evaluation: learn how much of its draft agreed. */
  settle(generation: Generation): void {
    const state = this.#states.get(generation);
    const pending = state?.pending ?? null;
    const run = generation.run;
    if (state === undefined || pending === null || run === null) return;
    state.pending = null;
    const accepted = run.accepted;
    const hasDisagreed = accepted < pending.count && run.outcome === null;
    this.#rateOf(state, pending.source).add(accepted, hasDisagreed);
    this.#rates.get(pending.source)?.add(accepted, hasDisagreed);
    this.#counts[pending.source].drafted += pending.count;
    this.#counts[pending.source].accepted += accepted;
  }

  /** The generation has ended. */
  forget(generation: Generation): void {
    if (!this.#states.delete(generation)) return;
    for (const drafter of this.#options.drafters) drafter.forget(generation);
  }

  close(): void {
    for (const drafter of this.#options.drafters) drafter.close();
  }

  #mayPay(rows: number, runs: number): boolean {
    const { costs } = this.#options;
    return [1, runs].some((drafting) => costs.draftTokens({ acceptance: 1, rows, runs: drafting }) > 0);
  }

  /** The offers that pay, with the lengths that pay best. */
  #order(drafter: Drafter, tasks: readonly DraftTask[], rows: number): readonly DraftOrder[] {
    const offers = drafter.offers(tasks).filter((offer) => offer !== null);
    return offers.flatMap((offer) => {
      const rate = this.#rateOf(this.#stateOf(offer.key as Generation), drafter.source);
      const length = this.#options.costs.draftTokens({
        ...planOf(offer),
        acceptance: rate.rate,
        rows,
        runs: offers.length,
      });
      if (length === 0) rate.rest();
      return length === 0 ? [] : [{ offer, length }];
    });
  }

  #catchUpMs(rows: number): number {
    if (rows === 1) return ALONE_CATCH_UP_MS;
    return Math.max(MIN_CATCH_UP_MS, (this.#options.costs.decodeMs ?? 0) * CATCH_UP_SHARE);
  }

  #taskOf(generation: Generation, drafting: DraftTask['drafting']): DraftTask {
    const { monitor = NO_MONITOR } = this.#options;
    return {
      key: generation,
      drafting: {
        ...drafting,
        guess: (logits, draft) => monitor.step(generation.request, () => drafting.guess(logits, draft)),
      },
    };
  }

  #stateOf(generation: Generation): State {
    const known = this.#states.get(generation);
    if (known !== undefined) return known;
    const state: State = { rates: new Map(), pending: null };
    this.#states.set(generation, state);
    return state;
  }

  #rateOf(state: State, source: DraftSource): Acceptance {
    const known = state.rates.get(source);
    if (known !== undefined) return known;
    const rate = new Acceptance(() => Math.max(MIN_FIRST_RATE, this.#rates.get(source)?.rate ?? FIRST_RATE));
    state.rates.set(source, rate);
    return rate;
  }
}

/** Milliseconds of choosing one token, in the last step. */
function tokenMsOf({ stepMs, run }: Generation): number {
  return stepMs / ((run?.accepted ?? 0) + 1);
}

function planOf({ maxTokens, onceMs, tokenMs, drafting }: DraftOffer): Omit<DraftPlan, 'acceptance' | 'rows'> {
  return { maxTokens, onceMs, tokenMs, remaining: drafting.remaining };
}
