/** The embedded model behind the compatible APIs and the GPT-J pipeline, without a store, for tests of the text that it generates. */
import { createEngine, openModel } from '@gptj-cloud/engine';
import { type JsonValue, readPickle, writePickle } from '@gptj-cloud/pickle';
import { GPTJ_PIPELINE_ID } from '@gptj-cloud/protocol';
import type { Tokenizer } from '@gptj-cloud/tokenizer';
import { embeddedModelPath } from '../embedded-model.ts';
import type { PipelineOutcome, SearchedStep, TokenChunk } from '../generation/pipelines/pipeline.ts';
import { createDirectApp } from './direct-app.ts';
import type { OpenAdmission } from './open-admission.ts';
import { prepareRun } from './prepare-run.ts';

export interface EmbeddedApp {
  readonly tokenizer: Tokenizer;
  readonly admission: OpenAdmission;
  /** The JSON of a reply. Throws unless its status is `status`, by default 200. */
  post<Reply>(path: string, body: object, status?: number): Promise<Reply>;
  /** The reply, unread. */
  send(path: string, body: object): Promise<Response>;
  /** Execute a run of `POST /v2/runs`, with its input as the Python clients pickle it. */
  run(prompt: string, parameters: Readonly<Record<string, JsonValue>>): Promise<EmbeddedRun>;
  close(): Promise<void>;
}

export interface EmbeddedRun extends PipelineOutcome {
  readonly promptTokens: number;
  /** The token events of a stream. */
  readonly chunks: readonly TokenChunk[];
  readonly steps: readonly SearchedStep[];
}

export async function openEmbeddedApp(): Promise<EmbeddedApp> {
  const opened = await openModel({ path: await embeddedModelPath(), cacheCells: 4096 });
  const engine = createEngine(opened);
  const { tokenizer } = opened;
  const direct = createDirectApp({ engine, model: { tokenizer } });
  const pipeline = direct.pipelines.find(GPTJ_PIPELINE_ID);
  return {
    tokenizer,
    admission: direct.admission,
    send: direct.post,
    async post<Reply>(path: string, body: object, status = 200): Promise<Reply> {
      const reply = await direct.post(path, body);
      const text = await reply.text();
      if (reply.status !== status) throw new Error(`expected status ${status}, got ${reply.status}: ${text}`);
      return JSON.parse(text) as Reply;
    },
    async run(prompt, parameters) {
      const prepared = await prepareRun(pipeline, readPickle(writePickle([prompt, parameters])));
      const chunks: TokenChunk[] = [];
      const steps: SearchedStep[] = [];
      const signal = new AbortController().signal;
      const outcome = await prepared.execute({
        signal,
        onTokens: (chunk) => chunks.push(chunk),
        onSearched: (step) => steps.push(step),
      });
      return { ...outcome, promptTokens: prepared.promptTokens, chunks, steps };
    },
    close: () => engine.close(),
  };
}
