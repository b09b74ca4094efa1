// reference/TASK.json: the log-likelihoods and greedy flags of lm-evaluation-harness on the first documents of a task, with
// the metrics that they give: {task, model, limit, metrics: {"acc,none": …}, docs: [{doc_id, requests: [{context,
// continuation, logLikelihood, isGreedy}]}]}. Log-likelihoods are compared within 1e-3, everything else exactly.
import {
  createEvalModel,
  createLanguageModelScorer,
  evaluateTask,
  findTask,
  readTaskDocuments,
  type TaskEvaluation,
} from '@gptj-cloud/evals';
import { type Fields, isClose, toFields } from './golden-json.ts';
import { compareTexts, type GoldenResult } from './golden-runner.ts';
import { findCheckpoint, withReferenceModel } from './reference-model.ts';

const TOLERANCE = 1e-3;
/** A perplexity is the exponential of a mean of log-likelihoods. */
const METRIC_TOLERANCE = 1e-3;

export async function* runLogLikelihoods(text: string, folder: string): AsyncGenerator<GoldenResult> {
  const file = toFields(JSON.parse(text), 'the file');
  const checkpoint = findCheckpoint(file.text('model'), folder);
  if (checkpoint === null) throw new Error(`expected the checkpoint ${file.text('model')} in a folder above ${folder}`);
  const task = findTask(file.text('task'));
  const documents = (await readTaskDocuments(task)).slice(0, file.number('limit'));
  const evaluation = await withReferenceModel(checkpoint, async ({ model, tokenizer, info }) => {
    const identity = { adapter: 'engine', model: info.modelName, weights: '', type: 'f32', engine: info.kind } as const;
    const scorer = createLanguageModelScorer({ model, tokenizer, identity });
    const prefixToken = model.config.eosTokenIds[0]!;
    const evalModel = createEvalModel({ scorer, tokenizer, prefixToken, form: 'harness', journal: null });
    return await evaluateTask({ model: evalModel, task, documents });
  });
  for (const entry of file.list('docs')) yield compareDocument(toFields(entry, 'a document'), evaluation);
  if (file.has('metrics')) yield* compareMetrics(file.object('metrics'), evaluation);
}

/** One case for each document. */
function compareDocument(expected: Fields, { task, documents }: TaskEvaluation): GoldenResult {
  const at = expected.number('doc_id');
  const name = `${task.name} document ${at}`;
  const requests = expected.list('requests').map((entry) => toFields(entry, 'a request'));
  const got = documents[at];
  if (got?.requests.length !== requests.length) {
    return compareTexts(name, `${requests.length} requests`, `${got?.requests.length ?? 0} requests`);
  }
  for (const [index, request] of requests.entries()) {
    const { context, continuation } = got.requests[index]!;
    const { logLikelihood, isGreedy } = got.answer.scores[index]!;
    const differs =
      context !== request.text('context') ||
      continuation !== request.text('continuation') ||
      isGreedy !== request.raw('isGreedy') ||
      !(Math.abs(logLikelihood - request.number('logLikelihood')) <= TOLERANCE);
    if (differs) {
      const shown = JSON.stringify({ context, continuation, logLikelihood, isGreedy });
      return { name: `${name} request ${index}`, passed: false, expected: JSON.stringify(request.value), got: shown };
    }
  }
  return { name, passed: true };
}

/** `acc,none`, `acc_stderr,none` and the like; a metric that the task does not have is not compared. */
function* compareMetrics(expected: Fields, { task, metrics }: TaskEvaluation): Generator<GoldenResult> {
  for (const key of Object.keys(expected.value)) {
    const [, metric, isError] = /^(\w+?)(_stderr)?,/.exec(key) ?? [];
    const found = metrics.find((each) => each.metric === metric);
    // A metric without a standard error has the text "N/A" there.
    if (found === undefined || typeof expected.raw(key) !== 'number') continue;
    const name = `${task.name} ${key}`;
    const value = expected.number(key);
    const got = (isError === undefined ? found.value : found.standardError) ?? Number.NaN;
    yield isClose(got, value, metric === 'perplexity' ? METRIC_TOLERANCE : 1e-12)
      ? { name, passed: true }
      : { name, passed: false, expected: String(value), got: String(got) };
  }
}
