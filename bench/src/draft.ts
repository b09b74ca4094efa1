import { type GenerateConfig, parseGenerateParameters } from '@gptj-cloud/decoding';
import { createEngine, type Engine, openModel, parameterContext } from '@gptj-cloud/engine';
import type { LanguageModel, Step, StepResult, TokenId } from '@gptj-cloud/model';
import { median } from './statistics.ts';
import { table } from './table.ts';

/** Shares of draft tokens that agree, given that those before them do. */
const RATES = [0, 0.3, 0.6, 0.8, 1];

export interface DraftBenchOptions {
  readonly model: string;
  readonly draft: string;
  readonly generated: number;
  readonly rounds: number;
  readonly clients: number;
  readonly threads: number;
  /** Measure processor time divided by the threads, where other programs use the cores. */
  readonly byProcessorTime: boolean;
}

/** What the draft model guesses: set between measurements. */
interface Guesses {
  /** Share of its tokens that are the expected ones. */
  rate: number;
  /** The texts that are expected, prompts included. */
  texts: readonly (readonly TokenId[])[];
}

/**
 * Tokens per second with a draft model that guesses right at chosen rates, beside the same engine without one, in turns. The
 * draft model computes as always; then its logits are replaced by those of the text that is known from a run without drafts.
 */
export async function benchDraft(options: DraftBenchOptions): Promise<void> {
  const { model, draft, generated, rounds, clients, threads, byProcessorTime } = options;
  const opened = await openModel({ path: model, draftPath: draft, threads });
  const guesses: Guesses = { rate: 0, texts: [] };
  const now = byProcessorTime ? () => processorMs() / threads : () => performance.now();
  // Schedulers over one model, of which one works at a time: the weights are in memory once.
  const plain = createEngine({ ...opened, draft: null, close: async () => {} }, { now });
  const guess = opened.draft && guessing(opened.draft, guesses);
  // One for each rate: each learns how often drafts agree.
  const engines = RATES.map(() => createEngine({ ...opened, draft: guess, close: async () => {} }, { now }));
  const { info } = opened;
  const time = byProcessorTime ? 'processor time' : 'time';
  console.log(
    `${info.modelName}, ${info.quantisation}, drafts by ${info.draftModelName}, ${clients} at a time, greedy, ${threads} threads, ${time}\n`,
  );
  const measured = RATES.map((rate): Measurements => ({ rate, speeds: [], ratios: [], drafted: 0, accepted: 0 }));
  const schedulers = [plain, ...engines];
  const without: number[] = [];
  try {
    for (let round = -1; round < rounds; round++) {
      const prompts = Array.from({ length: clients }, () => randomTokens(16));
      const expected = await measure(plain, prompts, generated, now);
      guesses.texts = expected.texts;
      for (const [i, each] of measured.entries()) {
        const drafting = engines[i]!;
        guesses.rate = each.rate;
        const before = (await drafting.stats!()).drafts.model;
        const { speed, texts } = await measure(drafting, prompts, generated, now);
        const after = (await drafting.stats!()).drafts.model;
        if (JSON.stringify(texts) !== JSON.stringify(expected.texts)) throw new Error('the texts differ');
        // The first round measures the costs.
        if (round < 0) continue;
        each.speeds.push(speed);
        each.ratios.push(speed / expected.speed);
        each.drafted += after.drafted - before.drafted;
        each.accepted += after.accepted - before.accepted;
      }
      if (round >= 0) without.push(expected.speed);
    }
  } finally {
    for (const engine of schedulers) await engine.close();
    await opened.close();
  }
  console.log(`without: ${median(without).toFixed(2)} tokens/s`);
  const rows = measured.map(({ rate, speeds, ratios, drafted, accepted }) =>
    [rate, median(speeds).toFixed(2), median(ratios).toFixed(3), drafted, accepted].map(String),
  );
  console.log(table(['share that agrees', 'tokens/s', 'ratio', 'drafted', 'accepted'], rows));
}

interface Measurements {
  readonly rate: number;
  readonly speeds: number[];
  /** To the speed without drafts in the same round. */
  readonly ratios: number[];
  drafted: number;
  accepted: number;
}

interface Measured {
  /** Tokens per second. */
  readonly speed: number;
  /** Prompts and outputs. */
  readonly texts: readonly (readonly TokenId[])[];
}

/** Generate a text after each prompt, all at the same time. The time of the prompts does not count. */
async function measure(
  engine: Engine,
  prompts: readonly (readonly TokenId[])[],
  generated: number,
  now: () => number,
): Promise<Measured> {
  const arrivals: number[] = [];
  const arrived = (): void => void arrivals.push(now());
  const texts = await Promise.all(prompts.map((prompt) => generateText(engine, prompt, generated, arrived)));
  const [first, last] = [Math.min(...arrivals), Math.max(...arrivals)];
  return { speed: (1000 * (generated - 1) * prompts.length) / (last - first), texts };
}

function processorMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

async function generateText(
  engine: Engine,
  prompt: readonly TokenId[],
  generated: number,
  onArrival: () => void,
): Promise<readonly TokenId[]> {
  const text = [...prompt];
  for await (const event of engine.generate({ prompt, config: configOf(engine, generated, prompt.length) })) {
    if (event.type !== 'tokens') continue;
    onArrival();
    text.push(...event.tokens);
  }
  return text;
}

/** Without repetitions, from which the engine would draft without a draft model. */
function configOf(engine: Engine, generated: number, promptLength: number): GenerateConfig {
  const parameters = { max_new_tokens: generated, min_new_tokens: generated, no_repeat_ngram_size: 4 };
  return parseGenerateParameters(parameters, parameterContext(engine.info, promptLength)).config;
}

/** A draft model that computes as it does, but guesses the expected text at the rate that is set. */
function guessing(model: LanguageModel, guesses: Guesses): LanguageModel {
  const contents = new Map<number, readonly TokenId[]>();
  const evaluate = async (steps: readonly Step[], signal?: AbortSignal): Promise<readonly StepResult[]> => {
    for (const { sequence, tokens } of steps) {
      contents.set(sequence, [...(contents.get(sequence) ?? []).slice(0, model.length(sequence)), ...tokens]);
    }
    const results = await model.evaluate(steps, signal);
    for (const [i, { logits }] of results.entries()) {
      const content = contents.get(steps[i]!.sequence)!;
      const text = guesses.texts.find((one) => one.slice(0, 16).every((token, at) => token === content[at]));
      const expected = text?.[content.length];
      if (expected === undefined) continue;
      const token = Math.random() < guesses.rate ? expected : (expected + 1) % 50257;
      for (const row of logits) {
        row.fill(0);
        row[token] = 1;
      }
    }
    return results;
  };
  return new Proxy(model, {
    get(target, name) {
      if (name === 'evaluate') return evaluate;
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

function randomTokens(count: number): readonly TokenId[] {
  return Array.from({ length: count }, () => Math.floor(Math.random() * 50257));
}
