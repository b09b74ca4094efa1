import { createHash } from 'node:crypto';
import { dumpPythonStrings } from '../python/python-json.ts';
import type { TaskForm } from '../tasks/task.ts';
import { toPublishedText } from './published-text.ts';
import type { TextRequest } from './text-request.ts';

/** The texts of a request in a form, without the `<|endoftext|>` of the published one. */
export function toForm(request: TextRequest, form: TaskForm): TextRequest {
  if (form === 'harness') return request;
  return { context: toPublishedText(request.context), continuation: toPublishedText(request.continuation) };
}

/** sha256 of the JSON of `[[context, continuation], …]` as Python writes it, over requests in the order of their documents. */
export function hashRequests(requests: readonly TextRequest[], form: TaskForm): string {
  const rows = requests.map((request) => {
    const { context, continuation } = toForm(request, form);
    return [context, continuation];
  });
  return createHash('sha256').update(dumpPythonStrings(rows)).digest('hex');
}
