/** Scores requests with a model of this process: shared prefixes once, all requests of a batch together. */
import { logSumExp } from '@gptj-cloud/decoding';
import type { LanguageModel, SequenceId, Step, TokenId } from '@gptj-cloud/model';
import type { Tokenizer } from '@gptj-cloud/tokenizer';
import { EvaluationError } from '../evaluation-error.ts';
import type { TokenRequest } from '../requests/encode-request.ts';
import { cutAt } from './cut-at.ts';
import { planBatches } from './plan-batches.ts';
import { buildForest, countTokens, type ForestNode, toRow } from './prefix-forest.ts';
import type { LikelyToken, ScoreOptions, ScorerIdentity, TokenScorer, TokenScores } from './token-scorer.ts';

/** Tokens of one evaluation: more are no faster, and fewer react sooner to an abort. */
const MAX_STEP_TOKENS = 512;
/** Rows of logits of one evaluation: 200 kB each. */
const MAX_SCORED = 256;

export interface LanguageModelScorerOptions {
  readonly model: LanguageModel;
  readonly tokenizer: Tokenizer;
  readonly identity: ScorerIdentity;
  /** Tokens of the requests of one batch, at most. Default: what the cache has room for, at most 4096. */
  readonly batchTokens?: number;
  /** Whether what several requests begin with is read once; measurements of the sharing turn it off. Default true. */
  readonly sharesPrefixes?: boolean;
}

export function createLanguageModelScorer(options: LanguageModelScorerOptions): TokenScorer {
  const { model, tokenizer, identity, sharesPrefixes = true } = options;
  const work = { requested: 0, read: 0 };
  return {
    identity,
    work,
    // The last token is scored and not read.
    maxTokens: model.config.contextLength + 1,
    async score(requests, { signal, onScored }: ScoreOptions) {
      const bounds = {
        tokens: Math.min(options.batchTokens ?? 4096, model.freeCells),
        requests: Math.max(1, Math.min(64, Math.floor(model.limits.maxSequences / 2) - 1)),
        sharesContexts: sharesPrefixes,
      };
      for (const batch of planBatches(requests, bounds)) {
        signal.throwIfAborted();
        const rows = batch.map((index) => toRow(requests[index]!, index));
        const forest = sharesPrefixes ? buildForest(rows) : rows.flatMap((row) => buildForest([row]));
        const scores = await scoreForest(model, forest, batch, signal);
        work.requested += countRequested(batch.map((index) => requests[index]!));
        work.read += countTokens(forest);
        await onScored(batch.map((index) => ({ index, scores: scores.get(index)! })));
      }
    },
    async nextTokens(context, count, signal) {
      return await withSequence(model, async (sequence) => {
        const logits = await readPrompt(model, sequence, context, signal);
        return mostLikely(logits, count);
      });
    },
    async generateUntil(context, { maxTokens, until }, signal) {
      return await withSequence(model, async (sequence) => {
        const written: TokenId[] = [];
        let logits = await readPrompt(model, sequence, context, signal);
        for (;;) {
          const token = argmax(logits);
          if (model.config.eosTokenIds.includes(token)) break;
          written.push(token);
          const text = tokenizer.decode(written, { skipSpecial: false });
          const cut = cutAt(text, until);
          if (cut !== null) return cut;
          if (written.length >= maxTokens || context.length + written.length >= model.config.contextLength) break;
          logits = await readPrompt(model, sequence, [token], signal);
        }
        return tokenizer.decode(written, { skipSpecial: false });
      });
    },
  };
}

/** Tokens that the requests have the model read: all but the last one of each. */
function countRequested(requests: readonly TokenRequest[]): number {
  return requests.reduce((sum, { context, continuation }) => sum + context.length + continuation.length - 1, 0);
}

async function withSequence<Result>(
  model: LanguageModel,
  use: (sequence: SequenceId) => Promise<Result>,
): Promise<Result> {
  const sequence = model.open();
  try {
    return await use(sequence);
  } finally {
    model.release(sequence);
  }
}

/** Appends tokens; the logits after the last one, valid until the next call. */
async function readPrompt(
  model: LanguageModel,
  sequence: SequenceId,
  tokens: readonly TokenId[],
  signal: AbortSignal,
): Promise<Float32Array> {
  const size = Math.min(MAX_STEP_TOKENS, model.limits.maxBatchTokens);
  for (let at = 0; at < tokens.length; at += size) {
    const scored = at + size >= tokens.length ? 'last' : 'none';
    const [result] = await model.evaluate([{ sequence, tokens: tokens.slice(at, at + size), scored }], signal);
    if (scored === 'last') return result!.logits[0]!;
  }
  throw new EvaluationError('data_invalid', 'expected a context of at least one token, got none');
}

interface OpenScores {
  readonly logprobs: number[];
  readonly greedy: boolean[];
  readonly top: boolean[];
}

/** A part of a node that one evaluation takes. */
interface Piece {
  readonly node: ForestNode;
  readonly sequence: SequenceId;
  readonly start: number;
  readonly end: number;
  readonly scored: Step['scored'];
}

async function scoreForest(
  model: LanguageModel,
  forest: readonly ForestNode[],
  batch: readonly number[],
  signal: AbortSignal,
): Promise<ReadonlyMap<number, TokenScores>> {
  const scores = new Map<number, OpenScores>(batch.map((index) => [index, { logprobs: [], greedy: [], top: [] }]));
  const sequences = new Set<SequenceId>();
  const release = (sequence: SequenceId): void => {
    sequences.delete(sequence);
    model.release(sequence);
  };
  try {
    let level = forest.map((node) => ({ node, sequence: model.open() }));
    for (const { sequence } of level) sequences.add(sequence);
    while (level.length > 0) {
      const size = Math.min(MAX_STEP_TOKENS, model.limits.maxBatchTokens);
      for (const step of packPieces(level, size)) {
        signal.throwIfAborted();
        const results = await model.evaluate(
          step.map(({ node, sequence, start, end, scored }) => ({
            sequence,
            tokens: node.rows[0]!.tokens.slice(start, end),
            scored,
          })),
          signal,
        );
        for (const [at, piece] of step.entries()) recordScores(piece, results[at]!.logits, scores);
      }
      const next: { readonly node: ForestNode; readonly sequence: SequenceId }[] = [];
      for (const { node, sequence } of level) {
        for (const child of node.children) {
          const fork = model.fork(sequence);
          sequences.add(fork);
          next.push({ node: child, sequence: fork });
        }
        release(sequence);
      }
      level = next;
    }
    return scores;
  } finally {
    for (const sequence of [...sequences]) release(sequence);
  }
}

/** Evaluations of at most `size` tokens and `MAX_SCORED` scored positions; parts of one node are in different ones. */
function packPieces(
  level: readonly { readonly node: ForestNode; readonly sequence: SequenceId }[],
  size: number,
): readonly (readonly Piece[])[] {
  const steps: { readonly pieces: Piece[]; tokens: number; scored: number }[] = [];
  for (const { node, sequence } of level) {
    let earliest = 0;
    const longest = node.scored === 'all' ? Math.min(size, MAX_SCORED) : size;
    for (let start = node.start; start < node.end; start += longest) {
      const end = Math.min(node.end, start + longest);
      const scored = node.scored === 'last' && end < node.end ? 'none' : node.scored;
      const rows = scored === 'none' ? 0 : scored === 'last' ? 1 : end - start;
      let at = steps.findIndex(
        (step, index) => index >= earliest && step.tokens + end - start <= size && step.scored + rows <= MAX_SCORED,
      );
      if (at < 0) at = steps.push({ pieces: [], tokens: 0, scored: 0 }) - 1;
      const step = steps[at]!;
      step.pieces.push({ node, sequence, start, end, scored });
      step.tokens += end - start;
      step.scored += rows;
      earliest = at + 1;
    }
  }
  return steps.map(({ pieces }) => pieces);
}

function recordScores(
  { node, start, end, scored }: Piece,
  logits: readonly Float32Array[],
  scores: ReadonlyMap<number, OpenScores>,
): void {
  if (scored === 'none') return;
  const first = scored === 'last' ? end - 1 : start;
  logits.forEach((row, offset) => {
    const position = first + offset;
    const normaliser = logSumExp(row);
    const best = argmax(row);
    for (const { index, tokens, contextLength } of node.rows) {
      if (position < contextLength - 1) continue;
      const token = tokens[position + 1]!;
      const open = scores.get(index)!;
      open.logprobs.push(row[token]! - normaliser);
      open.greedy.push(token === best);
      open.top.push(row[token]! >= row[best]!);
    }
  });
}

/** The lowest index of the largest value. */
function argmax(values: Float32Array): number {
  let best = 0;
  for (let at = 1; at < values.length; at++) if (values[at]! > values[best]!) best = at;
  return best;
}

function mostLikely(logits: Float32Array, count: number): readonly LikelyToken[] {
  const normaliser = logSumExp(logits);
  return Array.from(logits, (logit, token) => ({ token, logprob: logit - normaliser }))
    .sort((a, b) => b.logprob - a.logprob || a.token - b.token)
    .slice(0, count);
}
