/** A report of an evaluation for tests, as a client uploads it. */
import type { EvaluationCreate, EvaluationPiece } from '@gptj-cloud/protocol';

export function smallReport(changes: Partial<EvaluationCreate> = {}, documents = 3): EvaluationCreate {
  return {
    name: 'nano',
    hash: 'a'.repeat(64),
    model: { adapter: 'engine', model: 'gptj-nano', weights: 'b'.repeat(64), type: 'F32', engine: 'reference' },
    versions: { 'gptj-cloud': '0.1.0' },
    seeds: { few_shot: 1234, bootstrap: '0 to 99' },
    limit: documents,
    self_checks: ['chain_rule'],
    skipped_self_checks: [],
    tasks: [
      {
        task: 'piqa',
        version: 1,
        form: 'harness',
        shots: 0,
        document_count: documents,
        request_count: documents * 2,
        data_hash: 'c'.repeat(64),
        requests_hash: 'd'.repeat(64),
        metrics: [{ metric: 'acc', value: 0.5, standard_error: 0.1 }],
      },
    ],
    ...changes,
  };
}

/** The margin of the document is its id less 1: the first ones are wrong. */
export function reportDocument(id: number): EvaluationPiece['documents'][number] {
  const margin = id - 1;
  return {
    id,
    gold: 1,
    log_likelihoods: [-10, -10 + margin],
    greedy: [false, false],
    values: { acc: Number(margin > 0), acc_norm: 1 },
    context: `Question ${id}?\nAnswer:`,
    choices: [' no', ' yes'],
    continuation: null,
    answer: null,
  };
}
