/** An evaluation for pages: four tasks in two forms, of which one has documents. */
import type { NewEvaluation, NewEvaluationDocument, PipelineCloud } from '@gptj-cloud/sdk';

const TASKS = [
  { task: 'lambada_openai', metrics: { perplexity: [3.99, 0.09], acc: [0.683, 0.0065] } },
  { task: 'winogrande', metrics: { acc: [0.641, 0.0135] } },
  { task: 'hellaswag', metrics: { acc: [0.4954, 0.005], acc_norm: [0.6625, 0.0047] } },
  { task: 'piqa', metrics: { acc: [0.754, 0.01], acc_norm: [0.762, 0.0099] } },
] as const;
const DOCUMENTS = 24;

function report(name: string, hash: string): NewEvaluation {
  return {
    name,
    hash: hash.repeat(64),
    model: { adapter: 'engine', model: 'gpt-j-6b', weights: 'b'.repeat(64), type: 'F16', engine: 'kernels' },
    versions: { 'gptj-cloud': '0.1.0' },
    seeds: { fewShot: 1234, bootstrap: '0 to 99, one for each 1000 samples' },
    limit: DOCUMENTS,
    selfChecks: ['chain_rule'],
    skippedSelfChecks: [],
    tasks: (['harness', 'published'] as const).flatMap((form) =>
      TASKS.map(({ task, metrics }) => ({
        task,
        version: 1,
        form,
        shots: 0,
        documentCount: task === 'piqa' && form === 'harness' ? DOCUMENTS : 0,
        requestCount: task === 'piqa' && form === 'harness' ? DOCUMENTS * 2 : 0,
        dataHash: null,
        requestsHash: 'd'.repeat(64),
        metrics: Object.entries(metrics).map(([metric, [value, standardError]]) => ({ metric, value, standardError })),
      })),
    ),
  };
}

/** `shift` moves the margins: of another run. */
function document(id: number, shift = 0): NewEvaluationDocument {
  const margin = Math.round(Math.sin(id * 2.7 + shift) * 4000) / 1000;
  const gold = id % 2;
  const right = -32.25 + margin;
  return {
    id,
    gold,
    logLikelihoods: gold === 0 ? [right, -32.25] : [-32.25, right],
    greedy: [false, false],
    values: { acc: Number(margin > 0), acc_norm: Number(margin > -1) },
    context: `Question: How do I keep a cupboard door ${id} from opening by itself?\nAnswer:`,
    choices: [
      ' Put a magnetic catch on the frame, and its plate on the door, so that both meet when it is closed.',
      ` Take the door off its hinges and lay it on the floor.${id === 3 ? ` ${'and again '.repeat(60)}` : ''}`,
    ],
    continuation: null,
    answer: null,
  };
}

/** Index of the task with documents. */
export const PIQA = 3;

/** Returns the address of its page. Stored once: a report with a known hash is not stored again. */
export async function storeEvaluation(api: PipelineCloud): Promise<string> {
  await api.evaluations.create(report('GPT-J 6B, q4_0, interrupted', 'e'));
  const { id } = await api.evaluations.create(report('GPT-J 6B, f16', 'a'));
  const documents = Array.from({ length: DOCUMENTS }, (_, at) => document(at));
  await api.evaluations.addDocuments(id, PIQA, documents);
  return `/evaluations/${id}`;
}

/** Returns the address of the comparison of two evaluations. */
export async function storeComparison(api: PipelineCloud): Promise<string> {
  const before = (await storeEvaluation(api)).split('/').at(-1);
  const { id: after } = await api.evaluations.create(report('GPT-J 6B, q4_0', 'f'));
  const documents = Array.from({ length: DOCUMENTS }, (_, at) => document(at, 0.4));
  await api.evaluations.addDocuments(after, PIQA, documents);
  return `/evaluations/compare?before=${before}&after=${after}&task=${PIQA}`;
}
