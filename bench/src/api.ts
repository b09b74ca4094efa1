/**
 * `npm run bench -- api MODEL.gguf`: the latency that the server adds to a completion with many clients, at full load and
 * at one request per second and client. The same greedy completions run directly on the engine, as stored runs of the server on
 * the embedded store and on PostgreSQL (`DATABASE_URL`), as completions of the server, which are not stored, and on
 * llama-server, in turns.
 */
import { parseGenerateParameters } from '@gptj-cloud/decoding';
import { openTokenizer, parameterContext, spawnEngine } from '@gptj-cloud/engine';
import { findPeer } from './find-peer.ts';
import { startOwnServer } from './own-server.ts';
import { type CompletionServer, startLlamaServer } from './peer-server.ts';
import { median, quantile } from './statistics.ts';
import { table } from './table.ts';

/** Turns of the measurement at one request per second and client, between which each server rests. */
const TURNS = 5;
const PROMPT = 'I met a traveller from an antique land, who said';

export interface ApiOptions {
  readonly model: string;
  readonly clients: number;
  /** Number of requests per client, in each turn. */
  readonly rounds: number;
  readonly tokens: number;
  readonly cells: number;
}

/** A server, and what was measured of it, by turn. */
interface Measured {
  readonly name: string;
  readonly server: CompletionServer;
  readonly closed: Latencies[];
  readonly open: Latencies[];
}

interface Latencies {
  readonly p50: number;
  readonly p99: number;
  readonly perSecond: number;
}

export async function benchApi(options: ApiOptions): Promise<void> {
  const { model } = options;
  const opened: (readonly [name: string, open: () => Promise<CompletionServer>])[] = [
    ['bare engine', () => bareEngine(model)],
    ['runs, embedded store', () => startOwnServer(model, { DATABASE_URL: '' }).then(({ runs }) => runs)],
    ['completions', () => startOwnServer(model, { DATABASE_URL: '' }).then(({ completions }) => completions)],
    ...(process.env.DATABASE_URL
      ? [['runs, PostgreSQL', () => startOwnServer(model).then(({ runs }) => runs)] as const]
      : []),
    ...llamaServer(options),
  ];
  const servers: Measured[] = [];
  try {
    for (const [name, open] of opened) servers.push({ name, server: await open(), closed: [], open: [] });
    for (const { name, server, closed } of servers) {
      console.error(`${name} …`);
      // Warm-up: compiles the code and fills the caches.
      await inClosedLoop(server, options);
      closed.push(await inClosedLoop(server, options));
    }
    // In turns: the machine may be faster in one minute than in the next.
    for (let turn = 0; turn < TURNS; turn++) {
      console.error(`each once a second, turn ${turn + 1} of ${TURNS} …`);
      for (const { server, open } of servers) open.push(await atOneASecond(server, options));
    }
  } finally {
    await Promise.all(servers.map(({ server }) => server.close()));
  }
  const { clients, tokens } = options;
  const show = (title: string, kind: 'closed' | 'open'): void => {
    const base = servers[0]![kind];
    const header = [title, 'requests/s', 'p50 ms', 'p99 ms', 'p50 added', 'p99 added'];
    console.log(
      table(
        header,
        servers.map((one) => row(one.name, one[kind], base)),
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

/** Medians of the turns; what is added is that of each turn, beside the engine's in the same turn. */
function row(name: string, turns: readonly Latencies[], bare: readonly Latencies[]): string[] {
  const show = (read: (of: Latencies, base: Latencies) => number): string =>
    median(turns.map((one, turn) => read(one, bare[turn]!))).toFixed(1);
  return [
    name,
    show(({ perSecond }) => perSecond),
    show(({ p50 }) => p50),
    show(({ p99 }) => p99),
    show(({ p50 }, base) => p50 - base.p50),
    show(({ p99 }, base) => p99 - base.p99),
  ];
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
