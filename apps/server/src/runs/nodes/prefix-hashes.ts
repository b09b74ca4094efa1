/**
 * Names for the beginnings of a prompt, by which nodes know that they have one in their caches. Each is 64 bits of a chain of
 * HMACs over the blocks of tokens. The key is the store's secret with the tenant, the model and the adapters: equal prompts of two
 * tenants have nothing in common, so no tenant learns from where or how soon its runs are executed what another one has asked, and
 * the rows of a stolen store do not confirm a guessed prompt.
 */
import { createHmac } from 'node:crypto';
import { PREFIX_BLOCK_TOKENS } from '@gptj-cloud/engine';
import { type AdapterUse, adaptersKey, type TokenId } from '@gptj-cloud/model';

/** Blocks beyond these have no name: GPT-J's context has no more. */
const MAX_BLOCKS = 32;

export interface PromptOfTenant {
  /** Name of the model. */
  readonly model: string;
  readonly tenant: string;
  readonly prompt: readonly TokenId[];
  readonly adapters: readonly AdapterUse[];
}

/** The first for `PREFIX_BLOCK_TOKENS` tokens, the second for twice as many, …, as decimal numbers of a `bigint` column. */
export function hashPrefixes(secret: string, { model, tenant, prompt, adapters }: PromptOfTenant): readonly string[] {
  const scope = JSON.stringify(['prefixes', tenant, model, adaptersKey(adapters)]);
  const key = createHmac('sha256', secret).update(scope).digest();
  const hashes: string[] = [];
  let state = key;
  const blocks = Math.min(MAX_BLOCKS, Math.floor(prompt.length / PREFIX_BLOCK_TOKENS));
  for (let block = 0; block < blocks; block++) {
    const from = block * PREFIX_BLOCK_TOKENS;
    const tokens = Uint32Array.from(prompt.slice(from, from + PREFIX_BLOCK_TOKENS));
    state = createHmac('sha256', key).update(state).update(tokens).digest();
    hashes.push(state.readBigInt64LE().toString());
  }
  return hashes;
}
