import { BATCH_TOKEN_BOUNDS, type EngineStats } from '@gptj-cloud/engine';
import type { RunState } from '@gptj-cloud/protocol';
import { type Counter, type Histogram, type Labels, MetricsRegistry, type Sample } from './registry.ts';

/** Seconds, from a cache hit on a small model to a long run on two cores. */
const WAIT_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300];
/** Seconds, from 1000 tokens a second to one token in two seconds. */
const TOKEN_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2];
const TOKENS_PER_SECOND = [0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000];
const HTTP_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];
const TOKEN_COUNTS = [1, 8, 16, 32, 64, 128, 256, 512, 1024, 2048];

/** How a generation ended. */
export type GenerationEnd = 'finished' | 'cancelled' | 'failed';

/** The metrics that the server updates as events happen. */
export interface ServerMetrics {
  readonly registry: MetricsRegistry;
  readonly httpRequests: Counter;
  readonly httpSeconds: Histogram;
  readonly generations: Counter;
  readonly queueSeconds: Histogram;
  readonly firstTokenSeconds: Histogram;
  readonly interTokenSeconds: Histogram;
  readonly generationSeconds: Histogram;
  readonly tokensPerSecond: Histogram;
  readonly promptTokensPerRequest: Histogram;
  readonly promptTokens: Counter;
  readonly cachedPromptTokens: Counter;
  readonly generatedTokens: Counter;
  readonly computedTokens: Counter;
  readonly runsAccepted: Counter;
  readonly runsEnded: Counter;
  readonly webhookAttempts: Counter;
  readonly webhooksDropped: Counter;
  readonly webhooksDisabled: Counter;
}

export function createServerMetrics(): ServerMetrics {
  const registry = new MetricsRegistry();
  const metric = (name: string, help: string) => ({ name: `gptj_${name}`, help });
  return {
    registry,
    httpRequests: registry.counter(metric('http_requests_total', 'Requests answered, by route pattern and status.')),
    httpSeconds: registry.histogram(
      metric('http_request_duration_seconds', 'Time until the headers of a reply were known.'),
      HTTP_SECONDS,
    ),
    generations: registry.counter(metric('generations_total', 'Generations by how they ended.')),
    queueSeconds: registry.histogram(
      metric('queue_wait_seconds', 'Time a generation waits in the engine before its first evaluation.'),
      WAIT_SECONDS,
    ),
    firstTokenSeconds: registry.histogram(
      metric(
        'time_to_first_token_seconds',
        'Time from the request to the engine until its first tokens, queue wait included.',
      ),
      WAIT_SECONDS,
    ),
    interTokenSeconds: registry.histogram(
      metric('inter_token_seconds', 'Time between two tokens of one streamed sequence.'),
      TOKEN_SECONDS,
    ),
    generationSeconds: registry.histogram(
      metric('generation_duration_seconds', 'Time from the request to the engine until the end of a generation.'),
      WAIT_SECONDS,
    ),
    tokensPerSecond: registry.histogram(
      metric('tokens_per_second', 'Generated tokens of a generation per second of its computation.'),
      TOKENS_PER_SECOND,
    ),
    promptTokensPerRequest: registry.histogram(
      metric('prompt_length_tokens', 'Prompt tokens of a generation.'),
      TOKEN_COUNTS,
    ),
    promptTokens: registry.counter(metric('prompt_tokens_total', 'Prompt tokens of finished generations.')),
    cachedPromptTokens: registry.counter(
      metric(
        'cached_prompt_tokens_total',
        'Prompt tokens found in the prefix cache; divided by prompt_tokens_total, the hit rate.',
      ),
    ),
    generatedTokens: registry.counter(metric('generated_tokens_total', 'Tokens generated, over all sequences.')),
    computedTokens: registry.counter(
      metric('computed_tokens_total', 'Computed tokens of finished generations: what quotas count.'),
    ),
    runsAccepted: registry.counter(metric('runs_accepted_total', 'Runs that this server has accepted.')),
    runsEnded: registry.counter(metric('runs_ended_total', 'Runs that this server has ended, by state and error.')),
    webhookAttempts: registry.counter(metric('webhook_attempts_total', 'Attempts to deliver a message, by outcome.')),
    webhooksDropped: registry.counter(
      metric('webhook_messages_dropped_total', 'Messages not sent because too many of their webhook were waiting.'),
    ),
    webhooksDisabled: registry.counter(metric('webhooks_disabled_total', 'Webhooks disabled after a long failure.')),
  };
}

/** The statistics of an engine at a scrape. */
export interface ScrapedEngine {
  /** None where the server has one model. */
  readonly labels: Labels;
  readonly stats: () => Promise<EngineStats>;
}

/** Read the engines' statistics at every scrape, from the source that `GET /v2/engine` reads too. */
export function readEngineMetrics({ registry }: ServerMetrics, engines: () => readonly ScrapedEngine[]): void {
  /** Of the engines that answer. */
  const answers = async (): Promise<readonly { readonly labels: Labels; readonly stats: EngineStats }[]> => {
    const asked = engines().map(async ({ labels, stats }) => ({ labels, stats: await stats() }));
    return (await Promise.allSettled(asked)).flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  };
  const read = (name: string, type: 'gauge' | 'counter', help: string, value: (stats: EngineStats) => number): void =>
    registry.read({ name: `gptj_engine_${name}`, help }, type, async () =>
      (await answers()).map(({ labels, stats }) => ({ value: value(stats), labels })),
    );

  read('evaluations_total', 'counter', 'Evaluations of the model.', ({ evaluations }) => evaluations);
  read('busy_seconds_total', 'counter', 'Seconds spent in evaluations.', ({ busyMs }) => busyMs / 1000);
  read('generations_active', 'gauge', 'Generations that take part in evaluations.', ({ active }) => active);
  read('generations_waiting', 'gauge', 'Generations that wait for space in the KV cache.', ({ waiting }) => waiting);
  read('cache_cells', 'gauge', 'Positions of the KV cache.', ({ cacheCells }) => cacheCells);
  read('cache_cells_free', 'gauge', 'Free positions of the KV cache.', ({ freeCells }) => freeCells);
  read('cached_prefixes', 'gauge', 'Sequences in the prefix cache.', ({ prefixes }) => prefixes);
  read(
    'oldest_waiting_seconds',
    'gauge',
    'Time that the longest waiting generation has waited.',
    ({ oldestWaitingMs }) => oldestWaitingMs / 1000,
  );
  const readDrafts = (name: string, help: string, count: 'drafted' | 'accepted'): void =>
    registry.read({ name: `gptj_engine_${name}`, help }, 'counter', async () =>
      (await answers()).flatMap(({ labels, stats }) =>
        Object.entries(stats.drafts).map(([source, counts]) => ({
          value: counts[count],
          labels: { ...labels, source },
        })),
      ),
    );
  readDrafts('drafted_tokens_total', 'Tokens that the engine drafted, by source: lookup or model.', 'drafted');
  readDrafts('accepted_draft_tokens_total', 'Drafted tokens that agreed with the model, by source.', 'accepted');
  read(
    'memory_bytes',
    'gauge',
    'Resident memory of the process that runs the model.',
    ({ memoryBytes }) => memoryBytes,
  );
  registry.readHistogram(
    { name: 'gptj_engine_batch_tokens', help: 'Tokens of an evaluation, over all generations in it.' },
    async () =>
      (await answers()).map(({ labels, stats: { batchTokens, evaluatedTokens } }) => ({
        bounds: BATCH_TOKEN_BOUNDS,
        counts: batchTokens,
        sum: evaluatedTokens,
        labels,
      })),
  );
}

/** What a model of several is doing, at every scrape. */
export function readModelMetrics(
  { registry }: ServerMetrics,
  models: () => readonly { readonly model: string; readonly state: string; readonly waiting: number }[],
): void {
  registry.read(
    {
      name: 'gptj_model_state',
      help: 'Always 1; the labels name each model that is loaded on demand and what it is doing.',
    },
    'gauge',
    () => models().map(({ model, state }) => ({ value: 1, labels: { model, state } })),
  );
  registry.read(
    { name: 'gptj_model_waiting', help: 'Generations that wait until their model is loaded.' },
    'gauge',
    () => models().map(({ model, waiting }) => ({ value: waiting, labels: { model } })),
  );
}

/** The states of open runs. A state without runs is reported as 0: an alert cannot watch a series that is absent. */
const NO_OPEN_RUNS: readonly (readonly [RunState, number])[] = [
  ['received', 0],
  ['running', 0],
];

/** Count the open runs of the store by state at every scrape, including those of other servers on the same store. */
export function readRunMetrics(
  { registry }: ServerMetrics,
  countOpenRuns: () => Promise<ReadonlyMap<string, number>>,
): void {
  registry.read({ name: 'gptj_runs_open', help: 'Runs that have not ended, by state.' }, 'gauge', async () =>
    [...new Map<string, number>([...NO_OPEN_RUNS, ...(await countOpenRuns())])].map(
      ([state, value]): Sample => ({ value, labels: { state } }),
    ),
  );
}

/** Work that waits in the store. */
export interface QueueGauges {
  readonly backlogs: readonly {
    readonly pipelineId: string;
    readonly runs: number;
    readonly oldestSeconds: number;
    readonly computeSeconds: number;
  }[];
  readonly oldestTransactionSeconds: number;
}

/** Read what waits at every scrape, with one call for all metrics. */
export function readQueueMetrics({ registry }: ServerMetrics, readQueue: () => Promise<QueueGauges>): void {
  const queue = once(readQueue);
  const read = (name: string, help: string, value: (backlog: QueueGauges['backlogs'][number]) => number): void =>
    registry.read({ name: `gptj_queue_${name}`, help }, 'gauge', async () =>
      (await queue()).backlogs.map((each) => ({ value: value(each), labels: { pipeline: each.pipelineId } })),
    );
  read('waiting_runs', 'Runs that wait in the store, by pipeline.', ({ runs }) => runs);
  read('oldest_run_seconds', 'Time that the oldest waiting run has waited.', ({ oldestSeconds }) => oldestSeconds);
  read(
    'backlog_seconds',
    'Time that the waiting runs take one after the other, each as long as the mean run of a day.',
    ({ computeSeconds }) => computeSeconds,
  );
  registry.read(
    {
      name: 'gptj_store_oldest_transaction_seconds',
      help: 'Age of the oldest open transaction that keeps dead rows in PostgreSQL; 0: none.',
    },
    'gauge',
    async () => [{ value: (await queue()).oldestTransactionSeconds }],
  );
}

/** Calls that come while one is under way share its answer. */
function once<Answer>(ask: () => Promise<Answer>): () => Promise<Answer> {
  let asked: Promise<Answer> | null = null;
  return async () => {
    asked ??= ask().finally(() => {
      asked = null;
    });
    return await asked;
  };
}

export interface WebhookGauges {
  readonly waiting: number;
  readonly sending: number;
  readonly openBreakers: number;
}

/** Read the backlog of webhooks and their breakers at every scrape, with one call for all metrics. */
export function readWebhookMetrics({ registry }: ServerMetrics, count: () => Promise<WebhookGauges>): void {
  const counts = once(count);
  const read = (name: string, help: string, value: (counts: WebhookGauges) => number): void =>
    registry.read({ name: `gptj_webhook_${name}`, help }, 'gauge', async () => [{ value: value(await counts()) }]);

  read('messages_waiting', 'Messages that wait to be sent, of all servers on this store.', ({ waiting }) => waiting);
  read('messages_sending', 'Messages that this server is sending.', ({ sending }) => sending);
  read(
    'breakers_open',
    'Receivers that get no messages for now because they failed.',
    ({ openBreakers }) => openBreakers,
  );
}
