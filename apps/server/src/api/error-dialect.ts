import { type ApiError, toErrorBody } from '@gptj-cloud/protocol';
import { openAiStatus, toOpenAiError } from './openai/openai-error.ts';
import { tgiStatus, toTgiError } from './tgi/tgi-error.ts';

/** An error as the clients of one API read it. */
export interface ErrorDialect {
  readonly status: number;
  readonly body: unknown;
}

export interface AskedAddress {
  readonly method: string;
  readonly path: string;
}

const TGI_PATHS: ReadonlySet<string> = new Set(['/generate', '/generate_stream', '/info', '/health']);

/** The words of the API that a request asked, by its method and path; Pipeline Cloud's own for everything else. */
export function inDialectOf(request: AskedAddress, error: ApiError, requestId: string): ErrorDialect {
  const path = request.path.length > 1 ? request.path.replace(/\/+$/, '') : request.path;
  if (path === '/v1' || path.startsWith('/v1/')) return { status: openAiStatus(error), body: toOpenAiError(error) };
  const isTgi = TGI_PATHS.has(path) || path.startsWith('/models/') || (path === '/' && request.method === 'POST');
  if (isTgi) return { status: tgiStatus(error), body: toTgiError(error) };
  if (path === '/complete') return { status: error.status, body: { error: toTgiError(error).error } };
  return { status: error.status, body: toErrorBody(error, requestId) };
}
