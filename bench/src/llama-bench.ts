import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** The rates in the output of `llama-bench -o json`. */
export interface PeerRates {
  /** Tokens per second, one number per repetition. */
  readonly prefill: readonly number[];
  readonly decode: readonly number[];
}

/** Run the peer: `prompt` tokens of prefill and `generated` tokens of decoding, each `repetitions` times. */
export function runLlamaBench(
  program: string,
  options: {
    readonly model: string;
    readonly prompt: number;
    readonly generated: number;
    readonly repetitions: number;
    readonly threads: number | null;
  },
): PeerRates {
  const { model, prompt, generated, repetitions, threads } = options;
  const args = [
    '-m',
    model,
    '-p',
    `${prompt}`,
    '-n',
    `${generated}`,
    '-r',
    `${repetitions}`,
    ...(threads === null ? [] : ['-t', `${threads}`]),
    '-o',
    'json',
  ];
  const result = spawnSync(program, args, { encoding: 'utf8', maxBuffer: 1 << 26 });
  if (result.status !== 0)
    throw new Error(`${program} ended with ${result.status ?? result.signal}: ${result.stderr.slice(-400)}`);
  const tests = JSON.parse(result.stdout) as readonly { n_prompt: number; n_gen: number; samples_ts: number[] }[];
  return {
    prefill: tests.find((test) => test.n_prompt > 0)?.samples_ts ?? [],
    decode: tests.find((test) => test.n_gen > 0)?.samples_ts ?? [],
  };
}

/** ggml's variants of its CPU library, by our names of instruction sets. */
const VARIANTS = { AVX2: 'haswell', 'AVX-512': 'zen4' } as const;

export type PeerSet = keyof typeof VARIANTS;

export function isPeerSet(name: string): name is PeerSet {
  return name in VARIANTS;
}

/**
 * The program in a folder that has only one variant of ggml's CPU library: the program takes the fastest of those beside it.
 * `remove` deletes the folder.
 */
export function withOneVariant(
  program: string,
  set: PeerSet,
): { readonly program: string; readonly remove: () => void } {
  const [from, folder] = [dirname(program), mkdtempSync(join(tmpdir(), 'gptj-peer-'))];
  const variant = `libggml-cpu-${VARIANTS[set]}.so`;
  const libraries = readdirSync(from).filter((name) => name.startsWith('lib'));
  if (!libraries.includes(variant)) throw new Error(`expected ${variant} beside ${program}, found none`);
  for (const name of libraries)
    if (!name.startsWith('libggml-cpu-') || name === variant) symlinkSync(join(from, name), join(folder, name));
  // A link would be resolved to the folder of all variants.
  copyFileSync(program, join(folder, 'llama-bench'));
  return { program: join(folder, 'llama-bench'), remove: () => rmSync(folder, { recursive: true }) };
}
