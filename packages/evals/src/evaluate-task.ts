/** Evaluates a model on a task: requests, scores, values of every document, metrics. */
import { aggregate, type MetricValue } from './metrics/aggregate.ts';
import type { BootstrapOptions } from './metrics/bootstrap.ts';
import { type DocumentAnswer, type DocumentItems, toItems } from './metrics/document-result.ts';
import { type FewShot, withExamples } from './requests/few-shot.ts';
import type { TextRequest } from './requests/text-request.ts';
import type { EvalModel, ModelCallOptions, ScoredText } from './scoring/eval-model.ts';
import { toRequestScore } from './scoring/request-scores.ts';
import type { Task, TaskDocument } from './tasks/task.ts';

export interface EvaluateOptions extends Partial<ModelCallOptions> {
  readonly model: EvalModel;
  readonly task: Task;
  /** The documents to evaluate: all, or the first ones. */
  readonly documents: readonly TaskDocument[];
  /** Default: no examples. */
  readonly fewShot?: FewShot;
  readonly bootstrap?: BootstrapOptions;
}

export interface DocumentEvaluation {
  readonly document: TaskDocument;
  /** As sent, examples included. */
  readonly requests: readonly TextRequest[];
  /** Of each request; empty for generated texts. */
  readonly scored: readonly ScoredText[];
  readonly answer: DocumentAnswer;
  readonly items: DocumentItems;
}

export interface TaskEvaluation {
  readonly task: Task;
  readonly shots: number;
  readonly documents: readonly DocumentEvaluation[];
  readonly metrics: readonly MetricValue[];
}

/** Tokens of a generated answer, unless its document says otherwise. */
const MAX_ANSWER_TOKENS = 64;

export async function evaluateTask(options: EvaluateOptions): Promise<TaskEvaluation> {
  const { model, task, documents, fewShot, bootstrap } = options;
  const call: ModelCallOptions = {
    signal: options.signal ?? new AbortController().signal,
    onProgress: options.onProgress ?? (() => {}),
  };
  const requests =
    fewShot === undefined ? documents.map((each) => each.requests) : withExamples(task, documents, fewShot);
  const answered = await answer({ model, task, documents, requests, call });
  const evaluated = documents.map((document, at): DocumentEvaluation => {
    const { scored, answer } = answered[at]!;
    return { document, requests: requests[at]!, scored, answer, items: toItems(task, document, answer) };
  });
  const items = evaluated.map((each) => each.items);
  return {
    task,
    shots: fewShot?.shots ?? 0,
    documents: evaluated,
    metrics: await aggregate(task.metrics, items, bootstrap),
  };
}

interface Answering {
  readonly model: EvalModel;
  readonly task: Task;
  readonly documents: readonly TaskDocument[];
  readonly requests: readonly (readonly TextRequest[])[];
  readonly call: ModelCallOptions;
}

type Answered = Pick<DocumentEvaluation, 'scored' | 'answer'>;

async function answer({ model, task, documents, requests, call }: Answering): Promise<readonly Answered[]> {
  if (task.kind === 'generate') {
    const texts = await model.generateUntil(
      requests.map(([request], at) => ({
        context: request!.context,
        until: stopTexts(documents[at]!),
        maxTokens: MAX_ANSWER_TOKENS,
      })),
      call,
    );
    return texts.map((text) => ({ scored: [], answer: { scores: [], text, tokens: 0 } }));
  }
  const flat = requests.flat();
  const scored =
    task.kind === 'rolling'
      ? await model.rollingLogLikelihood(
          flat.map(({ continuation }) => continuation),
          call,
        )
      : await model.logLikelihood(flat, call);
  let at = 0;
  return requests.map((ofDocument) => {
    const parts = scored.slice(at, at + ofDocument.length);
    at += ofDocument.length;
    return {
      scored: parts,
      answer: {
        scores: parts.map(({ scores }) => toRequestScore(scores, model.form)),
        text: null,
        tokens: parts.reduce((sum, { tokens }) => sum + tokens.length, 0),
      },
    };
  });
}

function stopTexts({ fields }: TaskDocument): readonly string[] {
  const { until } = fields;
  return Array.isArray(until) && until.every((each) => typeof each === 'string') ? until : ['\n'];
}
