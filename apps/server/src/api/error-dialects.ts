/** The error format of each API. */
import { errorBodySchema, toErrorBody } from '@gptj-cloud/protocol';
import type { ErrorDialect } from '../http/error-dialect.ts';
import type { JsonSchema } from '../http/openapi/operation.ts';
import { openAiStatus, toOpenAiError } from './openai/openai-error.ts';
import { tgiStatus, toTgiError } from './tgi/tgi-error.ts';

const text: JsonSchema = { type: 'string' };
const textOrNull: JsonSchema = { type: ['string', 'null'] };
const object = (properties: Readonly<Record<string, JsonSchema>>, required: readonly string[]): JsonSchema => ({
  type: 'object',
  required,
  properties,
});

/** `{"detail": {…}}` with code, message and request id: the form of Pipeline Cloud's v2 API. */
export const pipelineCloudErrors: ErrorDialect = {
  schema: errorBodySchema,
  write: (error, requestId) => ({ status: error.status, body: toErrorBody(error, requestId) }),
};

/** `{"error": {message, type, param, code}}`, with the codes that OpenAI's clients know. */
export const openAiErrors: ErrorDialect = {
  schema: object({ error: object({ message: text, type: text, param: textOrNull, code: textOrNull }, []) }, []),
  write: (error) => ({ status: openAiStatus(error), body: toOpenAiError(error) }),
};

/** `{"error", "error_type"}` of text-generation-inference, with 422 for what does not validate. */
export const tgiErrors: ErrorDialect = {
  schema: object({ error: text, error_type: text }, ['error']),
  write: (error) => ({ status: tgiStatus(error), body: toTgiError(error) }),
};

/** `{"error"}` of mesh-transformer-jax's demo, with the error's status instead of 200. */
export const meshErrors: ErrorDialect = {
  schema: object({ error: text }, ['error']),
  write: (error) => ({ status: error.status, body: { error: toTgiError(error).error } }),
};

/** `{"type": "error", "error": {type, message}}` of Anthropic's API. */
export const anthropicErrors: ErrorDialect = {
  schema: object({ type: text, error: object({ type: text, message: text }, ['type', 'message']) }, ['type', 'error']),
  write: (error, requestId) => ({
    status: error.status,
    body: {
      type: 'error',
      error: { type: errorType(error.status), message: toTgiError(error).error },
      request_id: requestId,
    },
  }),
};

/** The types of errors that Anthropic's API and llama-server name alike. */
function errorType(status: number): string {
  switch (status) {
    case 401:
      return 'authentication_error';
    case 403:
      return 'permission_error';
    case 404:
      return 'not_found_error';
    case 429:
      return 'rate_limit_error';
    default:
      return status >= 500 ? 'api_error' : 'invalid_request_error';
  }
}

/** `{"error": {code, message, type}}` of llama-server. */
export const llamaServerErrors: ErrorDialect = {
  schema: object({ error: object({ code: { type: 'integer' }, message: text, type: text }, []) }, ['error']),
  write: (error) => ({
    status: error.status,
    body: {
      error: { code: error.status, message: toTgiError(error).error, type: errorType(error.status) },
    },
  }),
};

/** `{"detail": {msg, type}}` of KoboldAI. */
export const koboldErrors: ErrorDialect = {
  schema: object({ detail: object({ msg: text, type: text }, []) }, ['detail']),
  write: (error) => ({ status: error.status, body: { detail: { msg: toTgiError(error).error, type: error.code } } }),
};
