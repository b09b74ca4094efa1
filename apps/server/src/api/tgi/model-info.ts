import { PARAMETER_LIMITS } from '@gptj-cloud/decoding';
import type { TextModel } from '../../generation/text-model.ts';

/** `GET /info` in the form of TGI; fields without a counterpart here are null. */
export function describeServedModel({ info }: TextModel): Readonly<Record<string, string | number | null>> {
  const { contextLength } = info.config;
  return {
    model_id: info.modelName,
    model_sha: null,
    model_dtype: info.quantisation,
    model_pipeline_tag: 'text-generation',
    max_best_of: PARAMETER_LIMITS.rows,
    max_stop_sequences: PARAMETER_LIMITS.stopStrings,
    max_input_tokens: contextLength - 1,
    max_total_tokens: contextLength,
    max_client_batch_size: 1,
    router: 'gptj-cloud',
    sha: null,
    docker_label: null,
  };
}
