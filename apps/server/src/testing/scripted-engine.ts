import type { Engine, GenerationEvent, GenerationRequest } from '@gptj-cloud/engine';
import { GPTJ_6B, ModelError, type TokenId } from '@gptj-cloud/model';

/** An engine that generates the tokens of a script and pauses or fails where the script says. */
export interface ScriptedEngine extends Engine {
  /** Requests in order of arrival. */
  readonly requests: GenerationRequest[];
  /** The number of generations under way. */
  readonly running: number;
}

export interface Script {
  /** Tokens of each returned sequence. */
  readonly sequences: readonly (readonly TokenId[])[];
  /** Awaited before the token with this index of each sequence. */
  readonly pause?: (tokenIndex: number) => Promise<void> | null;
  readonly finishReason?: 'length' | 'eos' | 'stop';
  /** `error` is thrown after `after` tokens. */
  readonly failure?: { readonly after: number; readonly error: unknown };
}

/** Every token has the log-probability -id/100; the top token is id + 1 with -id/200. */
export function createScriptedEngine(script: (request: GenerationRequest) => Script): ScriptedEngine {
  const requests: GenerationRequest[] = [];
  let running = 0;
  const report = (token: TokenId) => ({
    token,
    logprob: -token / 100,
    top: [{ token: token + 1, logprob: -token / 200 }],
  });
  return {
    info: {
      kind: 'fake',
      modelName: 'scripted',
      quantisation: 'F32',
      config: GPTJ_6B,
      cacheCells: 2048,
      backend: 'cpu',
      draftModelName: null,
      adapters: [],
      earlyExitLayers: null,
      loadMs: 0,
    },
    requests,
    get running() {
      return running;
    },
    async *generate(request, signal): AsyncGenerator<GenerationEvent> {
      requests.push(request);
      running++;
      try {
        const { sequences, pause, finishReason = 'length', failure } = script(request);
        const isBeam = request.config.numBeams > 1;
        const wantsLogprobs = request.config.output.topLogprobs !== null;
        const gone = aborted(signal);
        yield { type: 'started' };
        const longest = Math.max(...sequences.map((tokens) => tokens.length));
        for (let at = 0; at < longest; at++) {
          if (failure?.after === at) throw failure.error;
          const wait = pause?.(at) ?? null;
          if (wait !== null) await Promise.race([wait, gone]);
          if (signal?.aborted) throw new ModelError('aborted', 'cancelled');
          if (isBeam) {
            const beams = request.config.numBeams * (at + 1);
            yield { type: 'computed', computedTokens: request.prompt.length + beams };
            continue;
          }
          for (const [index, tokens] of sequences.entries()) {
            const token = tokens[at];
            if (token === undefined) continue;
            yield { type: 'tokens', index, tokens: [token], ...(wantsLogprobs ? { logprobs: [report(token)] } : {}) };
          }
        }
        for (const [index, tokens] of isBeam ? sequences.entries() : []) {
          yield { type: 'tokens', index, tokens, ...(wantsLogprobs ? { logprobs: tokens.map(report) } : {}) };
        }
        yield {
          type: 'finished',
          outcome: {
            sequences: sequences.map((tokens) => ({
              tokens,
              finishReason,
              ...(wantsLogprobs ? { logprobs: tokens.map(report) } : {}),
            })),
          },
          usage: {
            promptTokens: request.prompt.length,
            generatedTokens: sequences.reduce((sum, tokens) => sum + tokens.length, 0),
            computedTokens: sequences.reduce((sum, tokens) => sum + tokens.length, request.prompt.length),
            cachedTokens: 0,
            queueMs: 0,
            computeMs: 3,
          },
        };
      } finally {
        running--;
      }
    },
    async close() {},
  };
}

/** Resolves when the signal fires. */
async function aborted(signal: AbortSignal | undefined): Promise<void> {
  if (signal?.aborted) return;
  await new Promise<void>((resolve) => signal?.addEventListener('abort', () => resolve(), { once: true }));
}
