/**
 * `npm run bench -- api MODEL.gguf`: the latency that the server adds to a completion with many clients, at full load and
 * at one request per second and client. The same greedy completions run directly on the engine, as stored runs of the server on
 * the embedded store and on PostgreSQL (`DATABASE_URL`), as completions of the server, which are not stored, and on
 * llama-server, one after the other.
 */
import { parseGenerateParameters } from '@gptj-cloud/decoding';
import { openTokenizer, parameterContext, spawnEngine } from '@gptj-cloud/engine';
import { findPeer } from './find-peer.ts';
import { startOwnServer } from './own-server.ts';
import { type CompletionServer, startLlamaServer } from './peer-server.ts';
import { median, quantile } from './statistics.ts';
import { table } from './table.ts';

const PROMPT = 'I met a traveller from an antique land, who said';

export interface ApiOptions {
  readonly model: string;
  readonly clients: number;
  /** Number of requests per client. */
  readonly rounds: number;
  readonly tokens: number;
  readonly cells: number;
}

interface Latencies {
  readonly p50: number;
  readonly p99: number;
  readonly perSecond: number;
}

export async function benchApi(options: ApiOptions): Promise<void> {
  const { model } = options;
  const servers: readonly (readonly [name: string, open: () => Promise<CompletionServer>])[] = [
    ['bare engine', () => bareEngine(model)],
    ['runs, embedded store', () => startOwnServer(model, { DATABASE_URL: '' }).then(({ runs }) => runs)],
    ['completions', () => startOwnServer(model, { DATABASE_URL: '' }).then(({ completions }) => completions)],
    ...(process.env.DATABASE_URL
      ? [['runs, PostgreSQL', () => startOwnServer(model).then(({ runs }) => runs)] as const]
      : []),
    ...llamaServer(options),
  ];
  const measured: { readonly name: string; readonly closed: Latencies; readonly open: Latencies }[] = [];
  for (const [name, open] of servers) {
    console.error(`${name} …`);
    const server = await open();
    try {
      // Warm-up: compiles the code and fills the caches.
      await inClosedLoop(server, options);
      measured.push({
        name,
        closed: await inClosedLoop(server, options),
        open: await atOneASecond(server, options),
      });
    } finally {
      await server.close();
    }
  }
  const { clients, tokens } = options;
  const show = (title: string, kind: 'closed' | 'open'): void => {
    const base = measured[0]![kind];
    const header = [title, 'requests/s', 'p50 ms', 'p99 ms', 'p50 added', 'p99 added'];
    console.log(
      table(
        header,
        measured.map((one) => row(one.name, one[kind], base)),
      ),
    );
  };
  show(`${clients} clients without a pause, ${tokens} tokens`, 'closed');
  console.log(
    'All cores are busy: the added latency is the processor time per request, times the number of clients.\n',
  );
  show(`${clients} clients, each once a second, ${tokens} tokens`, 'open');
  console.log('Goal: under 3 ms added at the median.');
}

function llamaServer({ model, cells }: ApiOptions): [string, () => Promise<CompletionServer>][] {
  const program = findPeer('llama-server', 'LLAMA_SERVER');
  return program === null ? [] : [['llama-server', () => startLlamaServer(program, model, cells)]];
}

function row(name: string, { p50, p99, perSecond }: Latencies, bare: Latencies): string[] {
  const added = (mine: number, base: number): string => (mine - base).toFixed(1);
  return [name, perSecond.toFixed(1), p50.toFixed(1), p99.toFixed(1), added(p50, bare.p50), added(p99, bare.p99)];
}

/** The engine in its child process, without a server. */
async function bareEngine(model: string): Promise<CompletionServer> {
  const engine = await spawnEngine({ path: model });
  const tokenizer = await openTokenizer(model);
  return {
    name: 'engine',
    async complete(text, tokens) {
      const prompt = tokenizer.encode(text);
      const parameters = { min_new_tokens: tokens, max_new_tokens: tokens };
      const { config } = parseGenerateParameters(parameters, parameterContext(engine.info, prompt.length));
      for await (const _ of engine.generate({ prompt, config }));
    },
    close: () => engine.close(),
  };
}

/** Every client sends its next request after the reply (closed loop). */
async function inClosedLoop(server: CompletionServer, { clients, rounds, tokens }: ApiOptions): Promise<Latencies> {
  return await measure(async (send) => {
    await Promise.all(
      Array.from({ length: clients }, async () => {
        for (let round = 0; round < rounds; round++) await send(() => server.complete(PROMPT, tokens));
      }),
    );
  });
}

/** Every client sends one request per second, evenly spread, whether or not it has the last reply (open loop). */
async function atOneASecond(server: CompletionServer, { clients, rounds, tokens }: ApiOptions): Promise<Latencies> {
  return await measure(async (send) => {
    const replies: Promise<void>[] = [];
    const startedAt = performance.now();
    for (let i = 0; i < clients * rounds; i++) {
      const wait = startedAt + (1000 * i) / clients - performance.now();
      if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
      replies.push(send(() => server.complete(PROMPT, tokens)));
    }
    await Promise.all(replies);
  });
}

async function measure(
  load: (send: (request: () => Promise<void>) => Promise<void>) => Promise<void>,
): Promise<Latencies> {
  const times: number[] = [];
  const startedAt = performance.now();
  await load(async (request) => {
    const sentAt = performance.now();
    await request();
    times.push(performance.now() - sentAt);
  });
  const seconds = (performance.now() - startedAt) / 1000;
  return { p50: median(times), p99: quantile(times, 0.99), perSecond: times.length / seconds };
}
