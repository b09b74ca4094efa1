import { spawnSync } from 'node:child_process';

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
