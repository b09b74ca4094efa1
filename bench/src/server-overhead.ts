import { parseGenerateParameters } from '@gptj-cloud/decoding';
import { type Engine, openTokenizer, parameterContext } from '@gptj-cloud/engine';
import { startOwnServer } from './own-server.ts';
import { median } from './statistics.ts';

const PROMPT = 'I met a traveller from an antique land, who said';

export interface ServerOverhead {
  /** Milliseconds of a run directly on the engine. */
  readonly engineMs: number;
  /** Milliseconds of the same run through the server: request, storage, engine, result, reply. */
  readonly serverMs: number;
}

/** Measure a greedy run of `tokens` tokens alternately on the engine and through a server with its own copy of the model. */
export async function measureServer(
  engine: Engine,
  model: string,
  tokens: number,
  rounds: number,
): Promise<ServerOverhead> {
  const server = await startOwnServer(model);
  try {
    const prompt = (await openTokenizer(model)).encode(PROMPT);
    const { config } = parseGenerateParameters(
      { min_new_tokens: tokens, max_new_tokens: tokens },
      parameterContext(engine.info, prompt.length),
    );
    const bare = async (): Promise<void> => {
      for await (const _ of engine.generate({ prompt, config }));
    };
    const served = (): Promise<void> => server.runs.complete(PROMPT, tokens);
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
  }
}
