// decode.json: complete runs on the toy model: from prompt and parameters to padded sequences (and beam scores).
import { type GenerateOutcome, generate, parseGenerateParameters, runStrategy } from '@gptj-cloud/decoding';
import { casesOf, type Fields, isClose, toFields } from './golden-json.ts';
import type { GoldenResult } from './golden-runner.ts';
import { lcgNoise, toyModel } from './toy-model.ts';

const SCORE_TOLERANCE = 1e-4;

/** Tokens exact, `sequences_scores` within 1e-4. */
export function* runDecode(text: string): Generator<GoldenResult> {
  for (const one of casesOf(text, 'decode/1')) {
    const name = one.text('name');
    const expected = one.object('expected');
    const shown = JSON.stringify(expected.value);
    try {
      const outcome = decodeCase(one, one.object('params').value, one.text('era'));
      yield isExpected(outcome, expected)
        ? { name, passed: true }
        : { name, passed: false, expected: shown, got: JSON.stringify(outcome) };
    } catch (error) {
      yield { name, passed: false, expected: shown, got: String(error) };
    }
  }
}

/** The outcome of a run, in the form of the goldens. */
export interface PaddedOutcome {
  /** Prompt included, padded on the right to the longest. */
  readonly sequences: readonly (readonly number[])[];
  readonly scores: readonly (number | undefined)[];
}

/** Run one case: `setting` has vocab, eos, pad, prompt, model and maybe noise. */
export function decodeCase(setting: Fields, params: Readonly<Record<string, unknown>>, era: string): PaddedOutcome {
  const model = toyModel(setting.object('model'));
  const prompt = setting.numbers('prompt');
  const { config } = parseGenerateParameters(
    { ...params, compat: era },
    {
      vocabSize: setting.number('vocab'),
      contextLength: 2048,
      eosTokenId: Array.isArray(setting.raw('eos')) ? setting.numbers('eos') : setting.number('eos'),
      padTokenId: setting.has('pad') ? setting.number('pad') : null,
      promptLength: prompt.length,
      ...(model.layerCount > 0 ? { earlyExitLayers: model.layerCount } : {}),
    },
  );
  const noise = setting.has('noise') ? { noise: lcgNoise(setting.object('noise').number('seed')) } : {};
  const outcome = runStrategy(generate({ prompt, config }, { clock: () => 0, ...noise }), model.score);
  return pad(outcome, prompt, config.padTokenId ?? 0);
}

function pad(outcome: GenerateOutcome, prompt: readonly number[], padTokenId: number): PaddedOutcome {
  const longest = Math.max(...outcome.sequences.map(({ tokens }) => tokens.length));
  return {
    sequences: outcome.sequences.map(({ tokens }) => [
      ...prompt,
      ...tokens,
      ...new Array<number>(longest - tokens.length).fill(padTokenId),
    ]),
    scores: outcome.sequences.map(({ score }) => score),
  };
}

/** Whether an outcome equals `expected` ({sequences, sequences_scores?}). */
export function isExpected({ sequences, scores }: PaddedOutcome, expected: Fields): boolean {
  if (JSON.stringify(sequences) !== JSON.stringify(expected.list('sequences'))) return false;
  if (!expected.has('sequences_scores')) return true;
  const wanted = toFields(expected.value, 'expected').numbers('sequences_scores');
  return wanted.every((score, at) => isClose(scores[at], score, SCORE_TOLERANCE));
}
