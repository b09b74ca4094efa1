/**
 * The evaluation of this project in steps, each of which adds one thing to the step before it, so that the share of each can
 * be measured.
 */
import { logSumExp } from '@gptj-cloud/decoding';
import { type OpenModel, openModel } from '@gptj-cloud/engine';
import { createEvalModel, createLanguageModelScorer, type TokenScorer } from '@gptj-cloud/evals';

/** Positions of one evaluation that scores all of them: 200 kB of logits each. */
const MAX_SCORED = 256;
/** Requests have at most 787 tokens; a batch has at most 4096. */
const CACHE_CELLS = 8192;

export interface TextRequest {
  readonly context: string;
  readonly continuation: string;
}

export interface EvalStep {
  readonly name: string;
  /** What it adds to the step before it. */
  readonly adds: string;
  /** In the order of the requests. */
  logLikelihoods(requests: readonly TextRequest[]): Promise<readonly number[]>;
  /** Tokens that it has read so far, and those of all its requests. */
  readonly work: TokenScorer['work'];
}

export interface EvalSteps {
  readonly steps: readonly EvalStep[];
  close(): Promise<void>;
}

export interface StepFiles {
  /** The weights as f32, as the peer has them. */
  readonly exact: string;
  /** The weights as stored. */
  readonly stored: string;
  readonly threads: number;
}

/** The step that has everything but the type of the stored weights: the one to compare with a peer in float32. */
export const EXACT_STEP = '+ kernels';

export async function openSteps({ exact, stored, threads }: StepFiles): Promise<EvalSteps> {
  const opened: OpenModel[] = [];
  const close = async (): Promise<void> => {
    for (const model of opened.splice(0)) await model.close();
  };
  try {
    const open = async (path: string, kind: 'llama' | 'kernels', cacheType: 'f16' | 'f32'): Promise<OpenModel> => {
      const model = await openModel({ path, kind, threads, cacheType, cacheCells: CACHE_CELLS });
      opened.push(model);
      return model;
    };
    const llama = await open(exact, 'llama', 'f32');
    const kernels = await open(exact, 'kernels', 'f32');
    const last = await open(stored, 'kernels', 'f16');
    const steps = [
      step('llama.cpp', 'llama.cpp in place of torch, one request at a time', llama, readingAll(llama)),
      step('+ logits', 'logits only where a token is scored', llama, scorerOf(llama, { batchTokens: 1 })),
      step('+ batching', 'requests in batches, without padding', llama, scorerOf(llama, { sharesPrefixes: false })),
      step('+ sharing', 'shared prefixes read once', llama, scorerOf(llama, {})),
      step(EXACT_STEP, "this project's kernels in place of llama.cpp", kernels, scorerOf(kernels, {})),
    ];
    if (last.info.quantisation !== kernels.info.quantisation) {
      const name = `+ ${last.info.quantisation}`;
      steps.push(step(name, 'weights as stored, cache of f16', last, scorerOf(last, {})));
    }
    return {
      steps,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

const IDENTITY = { adapter: 'engine', model: '', weights: '', type: null, engine: null } as const;

function scorerOf(
  { model, tokenizer }: OpenModel,
  options: { readonly batchTokens?: number; readonly sharesPrefixes?: boolean },
): TokenScorer {
  return createLanguageModelScorer({ model, tokenizer, identity: IDENTITY, ...options });
}

/** Context and continuation in one evaluation with the logits of every position, as a model of transformers returns them. */
function readingAll(opened: OpenModel): TokenScorer {
  const { model } = opened;
  return {
    ...scorerOf(opened, {}),
    async score(requests, { signal, onScored }) {
      for (const [index, { context, continuation }] of requests.entries()) {
        const tokens = [...context, ...continuation];
        const logprobs: number[] = [];
        const sequence = model.open();
        for (let start = 0; start < tokens.length - 1; start += MAX_SCORED) {
          const part = tokens.slice(start, Math.min(start + MAX_SCORED, tokens.length - 1));
          const [result] = await model.evaluate([{ sequence, tokens: part, scored: 'all' }], signal);
          result!.logits.forEach((row, offset) => {
            const position = start + offset;
            if (position >= context.length - 1) logprobs.push(row[tokens[position + 1]!]! - logSumExp(row));
          });
        }
        model.release(sequence);
        await onScored([{ index, scores: { logprobs, greedy: [], top: [] } }]);
      }
    },
  };
}

function step(name: string, adds: string, { tokenizer, info }: OpenModel, scorer: TokenScorer): EvalStep {
  const prefixToken = info.config.bosTokenId ?? info.config.eosTokenId;
  if (prefixToken === null) throw new Error('expected a model with a token at the beginning or the end of texts');
  const model = createEvalModel({ scorer, tokenizer, prefixToken, form: 'harness', journal: null });
  const call = { signal: new AbortController().signal, onProgress: () => {} };
  return {
    name,
    adds,
    work: scorer.work,
    async logLikelihoods(requests) {
      const scored = await model.logLikelihood(requests, call);
      return scored.map(({ scores }) => scores.logprobs.reduce((sum, each) => sum + each, 0));
    },
  };
}
