/**
 * The key of a request in the journal: what the scores depend on, and nothing else. A task, its form and its limit act through
 * the token ids alone, so scores are shared between them.
 */
import { createHash } from 'node:crypto';
import type { TokenId } from '@gptj-cloud/model';
import type { Tokenizer } from '@gptj-cloud/tokenizer';
import type { TokenRequest } from '../requests/encode-request.ts';
import type { ScorerIdentity } from '../scoring/token-scorer.ts';

export function requestKey(
  identity: ScorerIdentity,
  tokenizer: Tokenizer,
  { context, continuation }: TokenRequest,
): string {
  return hash([scorerFields(identity), tokenizerHash(tokenizer), context, continuation]);
}

export function generationKey(
  identity: ScorerIdentity,
  tokenizer: Tokenizer,
  request: { readonly context: readonly TokenId[]; readonly until: readonly string[]; readonly maxTokens: number },
): string {
  const { context, until, maxTokens } = request;
  return hash([scorerFields(identity), tokenizerHash(tokenizer), context, 'generate', until, maxTokens]);
}

function scorerFields({ weights, type, engine, model, adapter }: ScorerIdentity): readonly unknown[] {
  // The weights of a server are not known: its address and model stand for them.
  return adapter === 'engine' ? [weights, type, engine] : [adapter, weights, model, type, engine];
}

function hash(parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url');
}

const hashes = new WeakMap<Tokenizer, string>();

/** sha256 over the bytes of all tokens. */
function tokenizerHash(tokenizer: Tokenizer): string {
  const known = hashes.get(tokenizer);
  if (known !== undefined) return known;
  const sum = createHash('sha256');
  for (let id = 0; id < tokenizer.vocabSize; id++) {
    const bytes = tokenizer.tokenBytes(id);
    sum.update(`${bytes.length}:`).update(bytes);
  }
  const made = sum.digest('hex');
  hashes.set(tokenizer, made);
  return made;
}
