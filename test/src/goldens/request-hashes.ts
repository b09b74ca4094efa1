// request-hashes.json: {task: {docs, requests, natural_order_requests_sha256}}; request-forms.json: {task: {harness, published}}.
// The requests of the task are built from the project's documents, and hashed.
import { EvaluationError, findTask, hashRequests, readTaskDocuments, TASK_FORMS } from '@gptj-cloud/evals';
import { type Fields, toFields } from './golden-json.ts';
import { compareTexts, type GoldenResult } from './golden-runner.ts';

export async function* runRequestHashes(text: string): AsyncGenerator<GoldenResult> {
  for (const [name, expected] of tasksOf(text)) {
    yield await run(name, async () => {
      const documents = await readTaskDocuments(findTask(name));
      const requests = documents.flatMap((document) => document.requests);
      const count = (field: string, got: number): number => (expected.has(field) ? expected.number(field) : got);
      return compareTexts(
        name,
        `${count('docs', documents.length)} documents, ${count('requests', requests.length)} requests, ${expected.text('natural_order_requests_sha256')}`,
        `${documents.length} documents, ${requests.length} requests, ${hashRequests(requests, 'harness')}`,
      );
    });
  }
}

export async function* runRequestForms(text: string): AsyncGenerator<GoldenResult> {
  for (const [task, expected] of tasksOf(text)) {
    const forms = TASK_FORMS.filter((form) => expected.has(form));
    if (forms.length === 0) throw new Error(`expected ${task} to have harness or published`);
    for (const form of forms) {
      const name = `${task} ${form}`;
      yield await run(name, async () => {
        const documents = await readTaskDocuments(findTask(task));
        const requests = documents.flatMap((document) => document.requests);
        return compareTexts(name, expected.text(form), hashRequests(requests, form));
      });
    }
  }
}

function tasksOf(text: string): readonly (readonly [string, Fields])[] {
  const file = toFields(JSON.parse(text), 'the file');
  return Object.keys(file.value).map((name) => [name, file.object(name)]);
}

async function run(name: string, compare: () => Promise<GoldenResult>): Promise<GoldenResult> {
  try {
    return await compare();
  } catch (error) {
    if (!(error instanceof EvaluationError)) throw error;
    return { name, passed: false, expected: 'a task of this project', got: error.message };
  }
}
