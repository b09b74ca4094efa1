/** Fields of vLLM's completions that `POST /v1/completions` takes as well. */
import type { TokenId } from '@gptj-cloud/model';
import type { JsonValue } from '@gptj-cloud/pickle';
import { type FieldReader, refuseField, refuseOption } from '../../generation/field-reader.ts';

/** How tokens are written. */
export interface TokenForm {
  /** `token_ids` and `prompt_token_ids` beside the text. */
  readonly withIds: boolean;
  /** Tokens among log-probabilities as `token_id:N`. */
  readonly asIds: boolean;
}

export function readTokenForm(read: FieldReader): TokenForm {
  return {
    withIds: read.boolean('return_token_ids') ?? false,
    asIds: read.boolean('return_tokens_as_token_ids') ?? false,
  };
}

/** `ignore_eos`, `stop_token_ids` and `min_tokens` as parameters of `generate`. */
export function readEnds(read: FieldReader, eosTokenIds: readonly TokenId[]): ReadonlyMap<string, JsonValue> {
  const fields = new Map<string, JsonValue>();
  const ignoresEos = read.boolean('ignore_eos') ?? false;
  const stops = read.value('stop_token_ids') ?? [];
  if (!Array.isArray(stops)) throw refuseField('stop_token_ids', 'an array of token ids', stops);
  if (ignoresEos || stops.length > 0) {
    const ends = [...(ignoresEos ? [] : eosTokenIds), ...stops];
    fields.set('eos_token_id', ends.length === 0 ? -1 : ends);
  }
  const min = read.integer('min_tokens', { min: 0 });
  if (min !== undefined) fields.set('min_new_tokens', min);
  return fields;
}

/** Throws `invalid_parameter` where the caller sets the same under the name that `generate` has. */
export function addEnds(given: Map<string, JsonValue>, ends: ReadonlyMap<string, JsonValue>): void {
  for (const [name, value] of ends) {
    if (given.has(name)) throw refuseOption(name, "expected it, or vLLM's fields for it, got both");
    given.set(name, value);
  }
}
