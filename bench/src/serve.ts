/**
 * `npm run bench -- serve MODEL.gguf`: several clients at once, compared with llama-server on the same file in the same run.
 * All serve greedy completions over HTTP with their prompt caches; only one of them serves at a time. This server does it as
 * runs, each stored with its input, result and metering before the reply, and as completions, which no server here stores.
 */

import { openTokenizer } from '@gptj-cloud/engine';
import type { Tokenizer } from '@gptj-cloud/tokenizer';
import { findPeer } from './find-peer.ts';
import { startOwnServer } from './own-server.ts';
import { type CompletionServer, startLlamaServer } from './peer-server.ts';
import { median } from './statistics.ts';
import { table } from './table.ts';

const WORDS =
  'the of and a to in he was that it his her with as had for she not at but be on they have him which said'.split(' ');

/** Makes text of at least `count` tokens, different for every seed. */
type MakeText = (count: number, seed: number) => string;

function textMaker(tokenizer: Tokenizer): MakeText {
  return (count, seed) => {
    let state = (Math.imul(seed, 0x9e3779b1) + 0x7f4a7c15) >>> 0;
    let text = '';
    for (let tokens = 0; tokens < count; ) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      const word = ` ${WORDS[(state >>> 16) % WORDS.length]!}`;
      text += word;
      tokens += tokenizer.encode(word).length;
    }
    return text;
  };
}

async function time(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

interface Scenario {
  readonly name: string;
  /** Ratios of tokens/s that issues set for the embedded model and for GPT-J-6B in q4_0; - where they set none. */
  readonly goals: readonly [embedded: string, of6B: string];
  /** Number of generated tokens, by which the measured time is divided. */
  readonly tokens: number;
  /** Prompts differ by `round`, so that no prompt is cached from an earlier round. */
  readonly run: (server: CompletionServer, round: number) => Promise<void>;
}

function scenarios(makeText: MakeText, generated: number): readonly Scenario[] {
  const clients = Array.from({ length: 8 }, (_, i) => i);
  const ownPrompts = (count: number, server: CompletionServer, first: number) =>
    Promise.all(clients.slice(0, count).map((i) => server.complete(makeText(32, first + i), generated)));
  return [
    {
      name: 'a: one stream',
      goals: ['1.2', '1'],
      tokens: 2 * generated,
      run: (server, round) => server.complete(makeText(16, 1000 + round), 2 * generated),
    },
    {
      name: 'b: 8 clients, own prompts',
      goals: ['1.2', '2.5'],
      tokens: 8 * generated,
      run: async (server, round) => void (await ownPrompts(8, server, 2000 + 8 * round)),
    },
    {
      name: 'b: 4 clients, own prompts',
      goals: ['-', '1.9'],
      tokens: 4 * generated,
      run: async (server, round) => void (await ownPrompts(4, server, 6000 + 8 * round)),
    },
    {
      name: 'c: 8 clients, 700 shared tokens, 4 requests each',
      goals: ['3', '4'],
      tokens: 32 * generated,
      run: async (server, round) => {
        const shared = makeText(700, 3000 + round);
        const client = async (i: number): Promise<void> => {
          for (let k = 0; k < 4; k++)
            await server.complete(shared + makeText(8, 4000 + 100 * round + 4 * i + k), generated);
        };
        await Promise.all(clients.map(client));
      },
    },
  ];
}

async function warmUp(server: CompletionServer, makeText: MakeText, requests: number): Promise<void> {
  let left = requests;
  const client = async (): Promise<void> => {
    while (left-- > 0) await server.complete(makeText(16, left), 4);
  };
  await Promise.all(Array.from({ length: 8 }, client));
}

export interface ServeOptions {
  readonly model: string;
  readonly rounds: number;
  /** Tokens per completion. */
  readonly generated: number;
  readonly cells: number;
  /** Requests before the measurement: a server that has just started compiles its own code while it answers. */
  readonly warmUpRequests: number;
  /** Measure only scenarios whose name begins so; null: all, and the repeated prompt. */
  readonly only: string | null;
}

export async function benchServe(options: ServeOptions): Promise<void> {
  const { model, rounds, generated, cells, warmUpRequests, only } = options;
  const program = findPeer('llama-server', 'LLAMA_SERVER');
  if (program === null)
    console.log('found no llama-server: run `npm run bench:peers -- --server` for the comparison.\n');
  const rows: string[][] = [];
  const makeText = textMaker(await openTokenizer(model));
  const own = await startOwnServer(model);
  const peer = program === null ? null : await startLlamaServer(program, model, cells);
  const servers = [own.runs, own.completions, ...(peer === null ? [] : [peer])];
  try {
    for (const server of servers) await warmUp(server, makeText, warmUpRequests);
    const measured = scenarios(makeText, generated).filter(({ name }) => name.startsWith(only ?? ''));
    for (const { name, goals, tokens, run } of measured) {
      const rates = servers.map((): number[] => []);
      for (let round = 0; round < rounds; round++) {
        for (const [i, server] of servers.entries()) {
          // The two ways of this server share a prompt cache: each has prompts of its own.
          rates[i]!.push((1000 * tokens) / (await time(() => run(server, round + (i === 1 ? rounds : 0)))));
          console.error(`${name}, round ${round + 1}: ${server.name} ${rates[i]!.at(-1)?.toFixed(2)} tokens/s`);
        }
      }
      const ratio = (i: number): string =>
        median(rates[i]!.map((rate, round) => rate / (rates[2]?.[round] ?? Number.NaN))).toFixed(2);
      const shown = [0, 1, 2].map((i) => median(rates[i] ?? []).toFixed(2));
      rows.push([name, ...shown, ratio(0), ratio(1), ...goals]);
    }
    const columns = ['runs', 'completions', 'llama-server', 'ratio, runs', 'completions', 'goal nano', 'goal 6B'];
    console.log(table(['tokens/s, median of rounds', ...columns], rows));
    if (only !== null) return;
    for (const [i, server] of servers.entries()) await repeatedPrompt(makeText, server, rounds, i);
  } finally {
    await own.close();
    await peer?.close();
  }
}

/** (d) The time to the first token of a repeated long prompt, in decoding steps. */
async function repeatedPrompt(
  makeText: MakeText,
  server: CompletionServer,
  rounds: number,
  seed: number,
): Promise<void> {
  const prompt = makeText(700, 9000 + seed);
  const firstMs = await time(() => server.complete(prompt, 1));
  const again: number[] = [];
  const steps: number[] = [];
  for (let round = 0; round < Math.max(3, rounds); round++) {
    again.push(await time(() => server.complete(prompt, 1)));
    steps.push(((await time(() => server.complete(prompt, 9))) - again.at(-1)!) / 8);
  }
  const [firstToken, step] = [median(again), median(steps)];
  console.log(
    `d: ${server.name}: first token of a 700-token prompt ${firstMs.toFixed(0)} ms, again ${firstToken.toFixed(1)} ms = ${(firstToken / step).toFixed(2)} decoding steps of ${step.toFixed(1)} ms (goal: under 2)`,
  );
}
