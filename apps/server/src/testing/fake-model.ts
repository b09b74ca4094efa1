import type { Engine, GenerationEvent } from '@gptj-cloud/engine';
import { GPTJ_6B, ModelError } from '@gptj-cloud/model';
import { type Tokenizer, TokenizerError } from '@gptj-cloud/tokenizer';

const LETTER = 0x78;

/** One token for each byte, so that lengths are easy to count; 50256 is the end of text. */
export const byteTokenizer: Tokenizer = {
  vocabSize: GPTJ_6B.vocabSize,
  longestTokenBytes: 1,
  encode(text, { limit = Number.POSITIVE_INFINITY } = {}) {
    const ids = [...new TextEncoder().encode(text.slice(0, Math.min(text.length, limit + 1)))];
    if (ids.length > limit) throw new TokenizerError('too_many_tokens', `expected at most ${limit} tokens, got more`);
    return ids;
  },
  encodeEnd: (text, { count }) => [...new TextEncoder().encode(text)].slice(-count),
  decode: (ids) => new TextDecoder().decode(Uint8Array.from(ids.filter((id) => id < 256))),
  tokenBytes: (id) => Uint8Array.of(id),
  isSpecial: (id) => id === GPTJ_6B.eosTokenId,
};

/** An engine that generates "xxx…" up to the length limit, at once or when it is let go. */
export interface FakeEngine extends Engine {
  /** Errors of the next generations, one for each. */
  readonly failures: unknown[];
  /** The same, thrown after the last token. */
  readonly lateFailures: unknown[];
  /** The number of generations that began. */
  readonly began: number;
  /** Make generations wait until `resume`. */
  hold(): void;
  resume(): void;
}

export function createFakeEngine(): FakeEngine {
  const failures: unknown[] = [];
  const lateFailures: unknown[] = [];
  let gate: { readonly open: Promise<void>; readonly resume: () => void } | null = null;
  let began = 0;
  return {
    info: {
      kind: 'fake',
      modelName: 'fake',
      quantisation: 'F32',
      config: GPTJ_6B,
      cacheCells: 2048,
      backend: 'cpu',
      draftModelName: null,
      adapters: [],
      earlyExitLayers: null,
      loadMs: 0,
    },
    failures,
    lateFailures,
    get began() {
      return began;
    },
    hold() {
      let resume = (): void => {};
      const open = new Promise<void>((resolve) => {
        resume = resolve;
      });
      gate = { open, resume };
    },
    resume() {
      gate?.resume();
      gate = null;
    },
    async *generate({ prompt, config }, signal): AsyncGenerator<GenerationEvent> {
      began++;
      yield { type: 'started' };
      if (gate !== null) await untilAborted(gate.open, signal);
      const failure = failures.shift();
      if (failure !== undefined) throw failure;
      const tokens = Array.from({ length: config.maxLength - prompt.length }, () => LETTER);
      const sequence = { tokens, finishReason: 'length' as const };
      for (let index = 0; index < config.numReturnSequences; index++) {
        for (const token of tokens) yield { type: 'tokens', index, tokens: [token] };
      }
      const late = lateFailures.shift();
      if (late !== undefined) throw late;
      yield {
        type: 'finished',
        outcome: { sequences: Array.from({ length: config.numReturnSequences }, () => sequence), warnings: [] },
        usage: {
          promptTokens: prompt.length,
          generatedTokens: tokens.length * config.numReturnSequences,
          computedTokens: prompt.length + tokens.length * config.numReturnSequences,
          cachedTokens: 0,
          queueMs: 0,
          computeMs: 12.5,
        },
      };
    },
    async close() {},
  };
}

/** Wait for the gate; throws `aborted` when the signal fires first. */
async function untilAborted(gate: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const abort = (): void => reject(new ModelError('aborted', 'aborted'));
    signal?.addEventListener('abort', abort, { once: true });
    void gate.then(() => {
      signal?.removeEventListener('abort', abort);
      resolve();
    });
  });
}
