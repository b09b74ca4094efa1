import type { DecodingError } from '@gptj-cloud/decoding';
import { ModelError } from '@gptj-cloud/model';

/** What the decoder refuses, as the error of a generation. */
export function toModelError(error: DecodingError): ModelError {
  const code = error.code === 'decoding_too_costly' ? error.code : 'generation_impossible';
  return new ModelError(code, error.message, { cause: error });
}
