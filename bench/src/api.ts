/**
 * `npm run bench -- api MODEL.gguf`: what the server adds to a completion when many ask at once. The same greedy
 * completions by the engine's own interface, through the server on the embedded store, through the server on
 * PostgreSQL (`DATABASE_URL`), and by llama-server, one after the other in the same run.
 */
import { parseGenerateParameters } from '@gptj-cloud/decoding';
import { openTokenizer, parameterContext, spawnEngine } from '@gptj-cloud/engine';
import { startOwnServer } from './own-server.ts';
import { type CompletionServer, findLlamaServer, startLlamaServer } from './peer-server.ts';
import { median, quantile } from './statistics.ts';
import { table } from './table.ts';

const PROMPT = 'I met a traveller from an antique land, who said';

export interface ApiOptions {
  readonly model: string;
  readonly concurrency: number;
  readonly requests: number;
  readonly tokens: number;
  readonly cells: number;
}

interface Latencies {
  readonly p50: number;
  readonly p99: number;
  readonly perSecond: number;
}

export async function benchApi(options: ApiOptions): Promise<void> {
  const { model, tokens } = options;
  const bare = await measure(await bareEngine(model), options);
  const rows = [row('bare engine', bare, bare)];
  const add = async (name: string, server: CompletionServer): Promise<void> => {
    rows.push(row(name, await measure(server, options), bare));
  };
  await add('server, embedded store', await startOwnServer(model, { DATABASE_URL: '' }));
  if (process.env.DATABASE_URL) await add('server, PostgreSQL', await startOwnServer(model, {}));
  const program = findLlamaServer();
  if (program !== null) await add('llama-server', await startLlamaServer(program, model, options.cells));
  const header = [
    `${options.concurrency} at once, ${tokens} tokens`,
    'requests/s',
    'p50 ms',
    'p99 ms',
    'p50 added',
    'p99 added',
  ];
  console.log(table(header, rows));
  console.log('Goal: under 3 ms added at the median.');
}

function row(name: string, { p50, p99, perSecond }: Latencies, bare: Latencies): string[] {
  const added = (mine: number, base: number): string => (mine - base).toFixed(1);
  return [name, perSecond.toFixed(1), p50.toFixed(1), p99.toFixed(1), added(p50, bare.p50), added(p99, bare.p99)];
}

/** The engine in its process, by messages: what the server stands on. */
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

/** Keep `concurrency` completions under way until `requests` are done. Closes the server. */
async function measure(server: CompletionServer, options: ApiOptions): Promise<Latencies> {
  const { concurrency, requests, tokens } = options;
  const times: number[] = [];
  let left = requests;
  const client = async (): Promise<void> => {
    while (left-- > 0) {
      const startedAt = performance.now();
      await server.complete(PROMPT, tokens);
      times.push(performance.now() - startedAt);
    }
  };
  try {
    for (let i = 0; i < 5; i++) await server.complete(PROMPT, tokens);
    const startedAt = performance.now();
    await Promise.all(Array.from({ length: concurrency }, client));
    const seconds = (performance.now() - startedAt) / 1000;
    return { p50: median(times), p99: quantile(times, 0.99), perSecond: times.length / seconds };
  } finally {
    await server.close();
  }
}
