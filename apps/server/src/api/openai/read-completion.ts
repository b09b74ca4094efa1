import type { TextModel } from '../../generation/text-model.ts';
import { parseJsonFields } from '../../http/json-body.ts';
import type { Job } from '../../workers/job.ts';
import { type CompletionRequest, parseCompletionRequest } from './completion-request.ts';

/** Reads the body of `POST /v1/completions`. */
export const READ_COMPLETION: Job<TextModel, { readonly body: Uint8Array }, CompletionRequest> = {
  name: 'read-completion',
  what: 'the body',
  size: ({ body }) => body.length,
  run: (model, { body }) => parseCompletionRequest(model, parseJsonFields(body)),
  moved: ({ body }) => [body],
};
