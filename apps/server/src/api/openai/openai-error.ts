import type { ApiError, ErrorCode } from '@gptj-cloud/protocol';
import type { ErrorContent } from '../../generation/stream-error.ts';

/** The body of an error in the form that OpenAI's clients read. */
export interface OpenAiErrorBody {
  error: { message: string; type: string; param: string | null; code: string };
}

/** Codes that programs written for OpenAI's service compare with. */
const CODES: ReadonlyMap<ErrorCode, string> = new Map<ErrorCode, string>([
  ['token_missing', 'invalid_api_key'],
  ['token_unknown', 'invalid_api_key'],
  ['token_disabled', 'invalid_api_key'],
  ['token_expired', 'invalid_api_key'],
  ['model_unknown', 'model_not_found'],
  ['rate_limited', 'rate_limit_exceeded'],
  ['quota_exceeded', 'insufficient_quota'],
]);

/** The message contains the remedy, because clients show the message alone. */
export function toOpenAiError(error: ErrorContent): OpenAiErrorBody {
  const { remedy, parameters } = error.details;
  const first: unknown = Array.isArray(parameters) ? parameters[0] : undefined;
  return {
    error: {
      message: typeof remedy === 'string' ? `${error.message}; ${remedy}` : error.message,
      type: typeOf(error),
      param: typeof first === 'string' ? first : null,
      code: CODES.get(error.code) ?? error.code,
    },
  };
}

/** OpenAI has one status for all limits. */
export function openAiStatus(error: ApiError): number {
  return error.code === 'quota_exceeded' ? 429 : error.status;
}

function typeOf({ status, code }: ErrorContent): string {
  if (code === 'quota_exceeded') return 'insufficient_quota';
  if (status >= 500) return 'server_error';
  if (status === 429) return 'rate_limit_error';
  return status === 403 ? 'permission_error' : 'invalid_request_error';
}
