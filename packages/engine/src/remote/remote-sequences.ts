import {
  type FinishReason,
  type GenerateConfig,
  type GeneratedSequence,
  type StopRule,
  stopRuleOf,
  type TokenReport,
  workBudget,
} from '@gptj-cloud/decoding';
import type { TokenId } from '@gptj-cloud/model';
import type { GenerationEvent, GenerationRequest } from '../engine.ts';
import type { ChoicePart, RemoteUsage } from './completion-wire.ts';
import { oneLine, RemoteFailure } from './remote-failure.ts';
import { forbiddenTokens } from './remote-parameters.ts';

interface Sequence {
  /** Prompt and output. */
  readonly all: TokenId[];
  readonly reports: TokenReport[];
  /** Tokens that the server has sent, those after the end included. */
  sent: number;
  /** Why it ended, as `generate` says it. */
  finishReason: FinishReason | null;
  /** The server has ended it. */
  isComplete: boolean;
}

export interface RemoteSequencesOptions {
  readonly tokenBytes: (token: TokenId) => Uint8Array;
  readonly now: () => number;
}

/** The returned sequences of a generation, as they arrive. */
export class RemoteSequences {
  readonly #config: GenerateConfig;
  readonly #promptLength: number;
  readonly #sequences: readonly Sequence[];
  readonly #stop: StopRule;
  readonly #forbidden: ReadonlySet<TokenId>;
  readonly #budget = workBudget();

  constructor({ prompt, config }: GenerationRequest, { tokenBytes, now }: RemoteSequencesOptions) {
    this.#config = config;
    this.#promptLength = prompt.length;
    this.#stop = stopRuleOf({ prompt, config }, { clock: now, tokenBytes, budget: this.#budget });
    this.#forbidden = new Set(forbiddenTokens(config));
    this.#sequences = Array.from({ length: config.numReturnSequences }, () => ({
      all: [...prompt],
      reports: [],
      sent: 0,
      finishReason: null,
      isComplete: false,
    }));
  }

  /** Every sequence has ended, as `generate` says it. */
  get areDone(): boolean {
    return this.#sequences.every(({ finishReason }) => finishReason !== null);
  }

  /** The server has ended every sequence. */
  get areComplete(): boolean {
    return this.#sequences.every(({ isComplete }) => isComplete);
  }

  /** The event of what the server added to a sequence; none when that comes after its end. */
  *add({ index, tokens, logprobs, finishReason }: ChoicePart): Generator<GenerationEvent> {
    const sequence = this.#sequences[index];
    if (sequence === undefined) {
      throw new RemoteFailure('broken', `expected choices below ${this.#sequences.length}, got ${index}`);
    }
    sequence.sent += tokens.length;
    const most = this.#config.maxLength - this.#promptLength;
    if (sequence.isComplete || sequence.sent > most) {
      const place = sequence.isComplete ? 'after its end' : `after ${most} tokens`;
      throw new RemoteFailure('broken', `expected nothing of choice ${index} ${place}, got more of it`);
    }
    this.#budget.startEvaluation();
    this.#stop.tick();
    let taken = 0;
    while (taken < tokens.length && sequence.finishReason === null) {
      const token = tokens[taken]!;
      if (this.#forbidden.has(token)) {
        throw new RemoteFailure('broken', `expected no token ${token}, whose bias is -100, got it`);
      }
      sequence.all.push(token);
      taken++;
      sequence.finishReason = this.#stop.reasonToStop(sequence.all);
    }
    if (taken > 0) {
      const reports = logprobs?.slice(0, taken) ?? [];
      sequence.reports.push(...reports);
      yield {
        type: 'tokens',
        index,
        tokens: tokens.slice(0, taken),
        ...(logprobs === null ? {} : { logprobs: reports }),
      };
    }
    if (finishReason === null) return;
    sequence.isComplete = true;
    if (sequence.finishReason === null && this.#config.continuation === null) throw this.#early(sequence, finishReason);
    sequence.finishReason ??= 'length';
  }

  /** The server says that the stream is complete. */
  end(): void {
    const open = this.#sequences.findIndex(({ finishReason }) => finishReason === null);
    if (open >= 0) throw new RemoteFailure('broken', `the stream ended without the end of choice ${open}`);
  }

  /** Throws `broken` where the server counts other tokens than it sent. */
  checkUsage(usage: RemoteUsage | null): void {
    if (usage === null || !this.areComplete) return;
    const sent = this.#sequences.reduce((sum, each) => sum + each.sent, 0);
    if (usage.completionTokens !== sent) {
      throw new RemoteFailure(
        'broken',
        `expected ${usage.completionTokens} token ids, as the server counts, got ${sent}`,
      );
    }
  }

  collected(): readonly GeneratedSequence[] {
    return this.#sequences.map(({ all, reports, finishReason }) => ({
      tokens: all.slice(this.#promptLength),
      finishReason: finishReason ?? 'length',
      ...(this.#config.output.topLogprobs === null ? {} : { logprobs: reports }),
    }));
  }

  #early({ all }: Sequence, finishReason: string): RemoteFailure {
    const count = all.length - this.#promptLength;
    const expected = this.#config.maxLength - this.#promptLength;
    const instead =
      finishReason === 'stop'
        ? `it stopped at token ${all.at(-1)}; start it with --generation-config vllm`
        : `its reason is ${oneLine(finishReason)}`;
    return new RemoteFailure(
      'broken',
      `expected ${expected} tokens or an end that was asked for, got ${count}: ${instead}`,
    );
  }
}
