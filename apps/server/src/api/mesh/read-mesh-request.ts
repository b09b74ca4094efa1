import type { PromptRequest } from '../../generation/generation-service.ts';
import type { TextModel } from '../../generation/text-model.ts';
import { parseJsonFields } from '../../http/json-body.ts';
import type { Job } from '../../workers/job.ts';
import { parseMeshRequest } from './mesh-request.ts';

/** Reads the body of `POST /complete`. */
export const READ_MESH_REQUEST: Job<TextModel, { readonly body: Uint8Array }, PromptRequest> = {
  name: 'read-mesh-request',
  what: 'the body',
  size: ({ body }) => body.length,
  run: (model, { body }) => parseMeshRequest(model, parseJsonFields(body)),
  moved: ({ body }) => [body],
};
