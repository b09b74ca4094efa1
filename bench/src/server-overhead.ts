import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseGenerateParameters } from '@gptj-cloud/decoding';
import { type Engine, openTokenizer } from '@gptj-cloud/engine';
import { serve } from '@gptj-cloud/server';
import { median } from './statistics.ts';

const PIPELINE = 'pipeline_d7502b78863744c495d7d22f321cf7ff';
const PROMPT = 'I met a traveller from an antique land, who said';
const TOKEN = 'gptj_benchmark';

export interface ServerOverhead {
  /** Milliseconds of a run by the engine's own interface. */
  readonly engineMs: number;
  /** Milliseconds of the same run by HTTP: request, storage, engine, result, reply. */
  readonly serverMs: number;
}

/** The same greedy run of `tokens` tokens by turns on the bare engine and through a server with its own copy of the model. */
export async function measureServer(
  engine: Engine,
  model: string,
  tokens: number,
  rounds: number,
): Promise<ServerOverhead> {
  const folder = await mkdtemp(join(tmpdir(), 'gptj-bench-'));
  const server = await serve(
    { port: 0, host: '127.0.0.1', dataDir: folder, modelPath: model, apiToken: TOKEN },
    { print: () => {}, log: () => {} },
  );
  try {
    const prompt = (await openTokenizer(model)).encode(PROMPT);
    const { vocabSize, contextLength, eosTokenId } = engine.info.config;
    const parameters = { min_new_tokens: tokens, max_new_tokens: tokens };
    const { config } = parseGenerateParameters(parameters, {
      vocabSize,
      contextLength,
      eosTokenId,
      promptLength: prompt.length,
    });
    const bare = async (): Promise<void> => {
      for await (const _ of engine.generate({ prompt, config }));
    };
    const served = async (): Promise<void> => {
      const reply = await fetch(`${server.url}/v2/runs`, {
        method: 'POST',
        headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
        body: JSON.stringify({ pipeline_id: PIPELINE, data: [PROMPT, { ...parameters, do_sample: false }] }),
      });
      const run = (await reply.json()) as { run_state?: string };
      if (run.run_state !== 'complete') throw new Error(`the run ended with ${reply.status} ${JSON.stringify(run)}`);
    };
    const times = { bare: [] as number[], served: [] as number[] };
    for (let round = -1; round < rounds; round++) {
      for (const [name, once] of [
        ['bare', bare],
        ['served', served],
      ] as const) {
        const startedAt = performance.now();
        await once();
        if (round >= 0) times[name].push(performance.now() - startedAt);
      }
    }
    return { engineMs: median(times.bare), serverMs: median(times.served) };
  } finally {
    await server.close();
    await rm(folder, { recursive: true });
  }
}
