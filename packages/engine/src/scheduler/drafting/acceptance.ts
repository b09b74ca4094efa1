/** Weight of the assumed rate, in draft tokens. */
const ASSUMED_TOKENS = 4;
/** How much the weight of earlier draft tokens shrinks with each new one. */
const DECAY = 0.96;
/** The same in a step without a draft: after some time a draft is tried again. */
const REST_DECAY = 0.99;

/**
 * Estimates how often a draft token agrees, given that all before it in its draft do: the share among those that were
 * compared, the newer ones counting more. Tokens behind one that disagrees say nothing.
 */
export class Acceptance {
  readonly #assumed: () => number;
  #agreed = 0;
  #compared = 0;

  /** @param assumed the rate before there are measurements */
  constructor(assumed: () => number) {
    this.#assumed = assumed;
  }

  /** 0 to 1. */
  get rate(): number {
    return (this.#agreed + ASSUMED_TOKENS * this.#assumed()) / (this.#compared + ASSUMED_TOKENS);
  }

  /** `agreed` tokens of a draft agreed, and then one did not if `hasDisagreed`. */
  add(agreed: number, hasDisagreed: boolean): void {
    const compared = agreed + (hasDisagreed ? 1 : 0);
    this.#shrink(DECAY ** compared);
    this.#agreed += agreed;
    this.#compared += compared;
  }

  /** Nothing was drafted in this step. */
  rest(): void {
    this.#shrink(REST_DECAY);
  }

  #shrink(factor: number): void {
    this.#agreed *= factor;
    this.#compared *= factor;
  }
}
