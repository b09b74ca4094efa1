import { adapterOf, namedModel, type TextModel } from '../../generation/text-model.ts';
import { parseJsonFields } from '../../http/json-body.ts';
import type { Job } from '../../workers/job.ts';
import { type CompletionRequest, parseCompletionRequest } from './completion-request.ts';

/** `name`: the model that the address names. */
interface CompletionBody {
  readonly body: Uint8Array;
  readonly name?: string;
}

/** Reads the body of `POST /v1/completions`. */
export const READ_COMPLETION: Job<TextModel, CompletionBody, CompletionRequest> = {
  name: 'read-completion',
  what: 'the body',
  size: ({ body }) => body.length,
  run: (served, { body, name }) =>
    parseCompletionRequest(
      name === undefined ? served : namedModel(served, name),
      parseJsonFields(body),
      adapterOf(served, name),
    ),
  moved: ({ body }) => [body],
};
