import { adapterOf, namedModel, type TextModel } from '../../generation/text-model.ts';
import { parseJsonFields } from '../../http/json-body.ts';
import type { Job } from '../../workers/job.ts';
import { type Dialect, parseTextGenerationRequest, type TextGenerationRequest } from './text-generation-request.ts';

export interface TextGenerationBody {
  readonly body: Uint8Array;
  readonly dialect: Dialect;
  readonly mustStream: boolean;
  /** The model that the address names. */
  readonly name?: string;
}

/** Reads the body of a request to generate. */
export const READ_TEXT_GENERATION: Job<TextModel, TextGenerationBody, TextGenerationRequest> = {
  name: 'read-text-generation',
  what: 'the body',
  size: ({ body }) => body.length,
  run: (served, { body, dialect, mustStream, name }) =>
    parseTextGenerationRequest(
      name === undefined ? served : namedModel(served, name),
      parseJsonFields(body),
      dialect,
      mustStream,
      adapterOf(served, name),
    ),
  moved: ({ body }) => [body],
};
