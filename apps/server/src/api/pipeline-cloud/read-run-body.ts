import { type RunCreate, runCreateSchema } from '@gptj-cloud/protocol';
import { parseJsonBody } from '../../http/json-body.ts';
import { ignoredFields } from '../../runs/ignored-fields.ts';
import { storableInput } from '../../runs/run-input.ts';
import type { Job } from '../../workers/job.ts';

/** The body of `POST /v2/runs`. */
export interface RunBody {
  readonly request: Omit<RunCreate, 'data'>;
  /** The inline data as a pickle; null when the request names `data_id`. */
  readonly input: Uint8Array | null;
  /** A sentence for each unknown field. */
  readonly warnings: readonly string[];
}

/** Reads the body of a run. */
export const READ_RUN_BODY: Job<unknown, { readonly body: Uint8Array }, RunBody> = {
  name: 'read-run-body',
  what: 'the body',
  size: ({ body }) => body.length,
  run(_, { body }) {
    const { value, names, data = null } = parseJsonBody(body, runCreateSchema);
    const { data: _data, ...request } = value;
    return { request, input: data === null ? null : storableInput(data), warnings: ignoredFields(names) };
  },
  moved: ({ body }) => [body],
  returned: ({ input }) => (input === null ? [] : [input]),
};
