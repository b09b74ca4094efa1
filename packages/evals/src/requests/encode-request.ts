/**
 * Requests as token ids, exactly as lm-evaluation-harness (`TemplateLM._encode_pair`, `HFLM._loglikelihood_tokens` and
 * `get_rolling_token_windows`, 0.4.13) and mesh-transformer-jax (`tasks/eval_harness.py`) make them.
 */
import type { TokenId } from '@gptj-cloud/model';
import type { Tokenizer } from '@gptj-cloud/tokenizer';
import { EvaluationError } from '../evaluation-error.ts';
import { stripEnd } from '../python/python-strip.ts';
import type { TaskForm } from '../tasks/task.ts';
import { toForm } from './request-hash.ts';
import type { TextRequest } from './text-request.ts';

/** Tokens to score after a context; neither is empty. */
export interface TokenRequest {
  readonly context: readonly TokenId[];
  readonly continuation: readonly TokenId[];
}

export interface EncodeContext {
  readonly tokenizer: Tokenizer;
  /** The token before a text without context: beginning of text, else end of text. */
  readonly prefixToken: TokenId;
}

export function encodeRequest(request: TextRequest, form: TaskForm, encoding: EncodeContext): TokenRequest {
  return form === 'harness' ? encodePair(request, encoding) : encodeApart(toForm(request, form), encoding);
}

/** White space at the end of the context moves to the continuation, and both are tokenised together. */
function encodePair({ context, continuation }: TextRequest, { tokenizer, prefixToken }: EncodeContext): TokenRequest {
  if (context === '') {
    const ids = tokenizer.encode(continuation);
    checkNotEmpty(ids, continuation);
    return ids[0] === prefixToken && ids.length > 1
      ? { context: ids.slice(0, 1), continuation: ids.slice(1) }
      : { context: [prefixToken], continuation: ids };
  }
  const kept = stripEnd(context);
  const whole = tokenizer.encode(context + continuation);
  const contextIds = tokenizer.encode(kept);
  const ids = whole.slice(contextIds.length);
  checkNotEmpty(ids, continuation);
  // The harness fails on a context of white space alone; it then stands for no context.
  return contextIds.length === 0
    ? { context: [prefixToken], continuation: ids }
    : { context: whole.slice(0, contextIds.length), continuation: ids };
}

/** The published form: `<|endoftext|>` first, context and continuation tokenised apart. */
function encodeApart({ context, continuation }: TextRequest, { tokenizer, prefixToken }: EncodeContext): TokenRequest {
  const ids = tokenizer.encode(continuation);
  checkNotEmpty(ids, continuation);
  return { context: [prefixToken, ...tokenizer.encode(context)], continuation: ids };
}

function checkNotEmpty(ids: readonly TokenId[], continuation: string): void {
  if (ids.length > 0) return;
  const shown = JSON.stringify(continuation.slice(0, 40));
  throw new EvaluationError('data_invalid', `expected a continuation of at least one token, got ${shown}`);
}

/**
 * The last `maxTokens` tokens of a request. The context loses tokens first. Throws `request_too_long` where no token of the
 * context would be left: the harness scores such a continuation in part.
 */
export function truncateRequest({ context, continuation }: TokenRequest, maxTokens: number): TokenRequest {
  const excess = context.length + continuation.length - maxTokens;
  if (excess <= 0) return { context, continuation };
  if (excess >= context.length) {
    throw new EvaluationError(
      'request_too_long',
      `expected a continuation of at most ${maxTokens - 1} tokens, got ${continuation.length}; shorten it`,
    );
  }
  return { context: context.slice(excess), continuation };
}

/**
 * Windows over a text: every token is scored once, after as many tokens before it as a window has. `maxTokens`: tokens that
 * the model reads at once.
 */
export function rollingWindows(
  tokens: readonly TokenId[],
  { prefixToken, maxTokens }: { readonly prefixToken: TokenId; readonly maxTokens: number },
): readonly TokenRequest[] {
  const windows: TokenRequest[] = [];
  for (let scored = 0; scored < tokens.length; ) {
    const end = Math.min(tokens.length, scored + maxTokens);
    // The last window is as long as the others: its context are tokens that the one before has scored.
    const start = scored === 0 ? 0 : end - maxTokens;
    const context = start === 0 ? [prefixToken, ...tokens.slice(0, scored)] : tokens.slice(start - 1, scored);
    windows.push({ context, continuation: tokens.slice(scored, end) });
    scored = end;
  }
  return windows;
}
