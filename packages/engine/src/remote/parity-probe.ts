/**
 * The proof that a server computes the same model: its log-probabilities of known tokens beside those of our own engine,
 * from the same weights. Errors of the rotary embedding, of weights and of tokenizers show there, and in no reply's form.
 */
import { parseGenerateParameters } from '@gptj-cloud/decoding';
import { ModelError, type TokenId } from '@gptj-cloud/model';
import type { Tokenizer } from '@gptj-cloud/tokenizer';
import type { Engine } from '../engine.ts';
import { parameterContext } from '../parameter-context.ts';

/** What our own engine computed. Plain JSON: `gptj probe` writes it. */
export interface ParityProbe {
  readonly format: 1;
  /** Of the weights, for messages. */
  readonly model: string;
  readonly quantisation: string;
  readonly text: string;
  readonly tokens: readonly TokenId[];
  /** Of the tokens from the second on. */
  readonly logprobs: readonly number[];
}

/** Log-probabilities that are compared. */
const PROBE_LOGPROBS = 64;
/** Two engines in half precision differ by less, a wrong one by more. */
export const PARITY_TOLERANCE = 2e-2;

/** Letters, digits, runs of blanks, signs and lines: tokenizers of the family split these differently. ASCII alone. */
const TEXT =
  'The 1984 survey of river deltas, printed in 3 volumes, was nearly lost;  a clerk had filed it under "Weather".\n' +
  'def area(w, h):\n    return w * h  # square metres\n' +
  "She'd counted 12,500 gulls, hadn't she? Twice -- at dawn and again at 17:45 -- and they weren't the same birds. " +
  'Prices rose by 0.7% in March, fell in April, and by the end of May few in the harbour office were surprised by ' +
  'anything that the tide brought in.';

/** The longest beginning of the text, in whole words, that has no more tokens than the probe compares. */
function probeText(tokenizer: Pick<Tokenizer, 'encode'>, maxTokens: number): string {
  let chosen = '';
  for (const { index } of [...TEXT.matchAll(/\s+/g), { index: TEXT.length }]) {
    const text = TEXT.slice(0, index);
    if (tokenizer.encode(text).length > maxTokens) break;
    chosen = text;
  }
  return chosen;
}

/** Compute the probe of a model with our own engine. */
export async function makeParityProbe(engine: Engine, tokenizer: Pick<Tokenizer, 'encode'>): Promise<ParityProbe> {
  const { info } = engine;
  const text = probeText(tokenizer, Math.min(PROBE_LOGPROBS + 1, info.config.contextLength - 1));
  const tokens = tokenizer.encode(text);
  const { config } = parseGenerateParameters(
    { max_new_tokens: 0, prompt_logprobs: 0 },
    parameterContext(info, tokens.length),
  );
  for await (const event of engine.generate({ prompt: tokens, config })) {
    if (event.type !== 'finished') continue;
    const logprobs = (event.outcome.promptLogprobs ?? []).map(({ logprob }) => logprob);
    return { format: 1, model: info.modelName, quantisation: info.quantisation, text, tokens, logprobs };
  }
  throw new ModelError('engine_failed', 'the engine ended without the log-probabilities of the probe');
}

/** The probe of a file. Throws `invalid_config`. */
export function parseParityProbe(json: string): ParityProbe {
  const refuse = (what: string): never => {
    throw new ModelError('invalid_config', `probe: expected ${what}; gptj probe writes one`);
  };
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    refuse('JSON');
  }
  if (typeof value !== 'object' || value === null) refuse('an object');
  const { format, model, quantisation, text, tokens, logprobs } = value as Record<string, unknown>;
  if (format !== 1) refuse('format 1');
  if (typeof model !== 'string' || typeof quantisation !== 'string' || typeof text !== 'string') refuse('texts');
  const isId = (id: unknown): id is number => typeof id === 'number' && Number.isSafeInteger(id) && id >= 0;
  if (!Array.isArray(tokens) || tokens.length < 2 || !tokens.every(isId)) return refuse('token ids');
  const isNumber = (each: unknown): each is number => typeof each === 'number' && Number.isFinite(each);
  if (!Array.isArray(logprobs) || logprobs.length !== tokens.length - 1 || !logprobs.every(isNumber)) {
    return refuse('one log-probability for each token from the second on');
  }
  return { format: 1, model: String(model), quantisation: String(quantisation), text: String(text), tokens, logprobs };
}

/** Throws `engine_mismatch` where the tokens of a server are not those of the probe. */
export function checkTokens(server: string, probe: ParityProbe, tokens: readonly TokenId[]): void {
  const at = probe.tokens.findIndex((token, index) => tokens[index] !== token);
  if (at < 0 && tokens.length === probe.tokens.length) return;
  const place = at < 0 ? probe.tokens.length : at;
  throw new ModelError(
    'engine_mismatch',
    `the server ${server} has another tokenizer than ${probe.model}: token ${place} of the probe is ${tokens[place] ?? 'missing'}, expected ${probe.tokens[place] ?? 'the end'}`,
  );
}

/** Throws `engine_mismatch` where log-probabilities differ by more than rounding. */
export function checkLogprobs(
  server: string,
  what: string,
  {
    expected,
    got,
    tolerance,
  }: { readonly expected: readonly number[]; readonly got: readonly number[]; readonly tolerance: number },
): void {
  const differences = expected.map((logprob, at) => Math.abs(logprob - (got[at] ?? Number.POSITIVE_INFINITY)));
  const worst = differences.reduce((best, each, at) => (each > (differences[best] ?? 0) ? at : best), 0);
  if ((differences[worst] ?? 0) <= tolerance) return;
  const wrong = differences.filter((each) => each > tolerance).length;
  throw new ModelError(
    'engine_mismatch',
    `the server ${server} computes other values: ${wrong} of ${expected.length} log-probabilities of ${what} differ by more than ${tolerance}; ` +
      `that of token ${worst + 1} is ${got[worst]?.toFixed(4) ?? 'missing'}, expected ${expected[worst]?.toFixed(4)}. Its weights, or their precision, are others (ENGINE_TOLERANCE)`,
  );
}
