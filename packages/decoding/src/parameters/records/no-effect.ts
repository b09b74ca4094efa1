import { ParameterError } from '../../parameter-error.ts';
import { BOTH_VERSIONS, ONLY_5_18, type ParameterRecord, type ValueShape } from '../parameter-record.ts';

const ANY: ValueShape = { type: 'json', form: 'anything', schema: {} };
const FLAG: ValueShape = { type: 'boolean' };
const COUNT: ValueShape = { type: 'integer' };

/** Accepted without effect: it steers memory or speed of the Python implementation, not tokens. */
function noEffect(
  name: string,
  versions: ParameterRecord['versions'],
  value: ValueShape,
  subject: string,
): ParameterRecord {
  return { name, group: 'other', versions, value, help: `No effect here: ${subject}.`, noEffect: true };
}

export const PARAMETERS_WITHOUT_EFFECT: readonly ParameterRecord[] = [
  noEffect('bos_token_id', BOTH_VERSIONS, COUNT, 'the token that transformers starts an empty prompt with'),
  noEffect('use_cache', BOTH_VERSIONS, FLAG, 'the cache is always used'),
  noEffect('synced_gpus', BOTH_VERSIONS, FLAG, 'it keeps several GPUs in step'),
  {
    ...noEffect('low_memory', ONLY_5_18, FLAG, 'it trades speed of contrastive search for memory'),
    read: (fields, { numBeams }) => {
      if (fields.get('low_memory') === true && numBeams > 1) {
        throw new ParameterError(
          'unsupported_parameter',
          ['low_memory'],
          'low_memory: expected false with beams (transformers dropped it in 4.50), got true',
        );
      }
      return {};
    },
  },
  noEffect('trust_remote_code', ONLY_5_18, FLAG, 'no remote code is run'),
  noEffect('use_model_defaults', ONLY_5_18, FLAG, 'the model has no generation defaults'),
  noEffect('cache_implementation', ONLY_5_18, ANY, 'the cache is kept by the server'),
  noEffect('cache_config', ONLY_5_18, ANY, 'the cache is kept by the server'),
  noEffect('max_cache_len', ONLY_5_18, COUNT, 'the cache is kept by the server'),
  noEffect('return_legacy_cache', ONLY_5_18, FLAG, 'the cache is not returned'),
  noEffect('prefill_chunk_size', ONLY_5_18, COUNT, 'the scheduler cuts prompts by itself'),
  noEffect('compile_config', ONLY_5_18, ANY, 'nothing is compiled'),
  noEffect('disable_compile', ONLY_5_18, FLAG, 'nothing is compiled'),
  noEffect('continuous_batching_config', ONLY_5_18, ANY, 'requests are always batched'),
  noEffect('num_assistant_tokens', ONLY_5_18, COUNT, 'there is no assistant model'),
  noEffect('num_assistant_tokens_schedule', ONLY_5_18, ANY, 'there is no assistant model'),
  noEffect('assistant_confidence_threshold', ONLY_5_18, ANY, 'there is no assistant model'),
  noEffect('assistant_early_exit', ONLY_5_18, ANY, 'there is no assistant model'),
  noEffect('assistant_lookbehind', ONLY_5_18, ANY, 'there is no assistant model'),
  noEffect('target_lookbehind', ONLY_5_18, ANY, 'there is no assistant model'),
  noEffect('assistant_ensemble_weight', ONLY_5_18, ANY, 'there is no assistant model'),
  noEffect('is_assistant', ONLY_5_18, FLAG, 'there is no assistant model'),
];
