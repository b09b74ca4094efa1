import { BOTH_VERSIONS, type ParameterRecord } from '../parameter-record.ts';

/** A name that transformers knows and a GPT-J server cannot serve; `reason` completes "NAME: …". */
function unsupported(name: string, reason: string): ParameterRecord {
  return {
    name,
    group: 'other',
    versions: BOTH_VERSIONS,
    help: `Refused: ${reason}.`,
    value: { type: 'json', form: 'none', schema: { not: {} } },
    unsupported: reason,
  };
}

export const UNSUPPORTED_PARAMETERS: readonly ParameterRecord[] = [
  unsupported('decoder_start_token_id', 'it belongs to encoder-decoder models; GPT-J is decoder-only'),
  unsupported('assistant_model', 'the server chooses the draft model (GPTJ_DRAFT_MODEL); leave it out'),
  unsupported('assistant_tokenizer', 'the server chooses the draft model (GPTJ_DRAFT_MODEL); leave it out'),
  unsupported('tokenizer', 'the server uses the tokenizer of GPT-J; leave it out'),
  unsupported('streamer', 'an object cannot travel in a request; request a streamed response instead'),
  unsupported('custom_generate', 'code of the caller is not run'),
  unsupported('use_mtp', 'GPT-J has no multi-token-prediction head'),
  unsupported('speculation_type', 'GPT-J has no multi-token-prediction head'),
  unsupported('token_type_ids', 'only token ids are taken as input'),
  unsupported('position_ids', 'positions follow from the prompt'),
  unsupported('head_mask', 'only token ids are taken as input'),
  unsupported('inputs_embeds', 'only token ids are taken as input'),
  unsupported('past_key_values', 'the cache is kept by the server'),
];
