/** How surprising a token is, in the steps that the heat map shows. */

export interface TokenChance {
  /** Natural logarithm; null where the server has sent none. */
  readonly logprob: number | null;
  /** After the parameters of the run; null: they forbid it, undefined: not known. */
  readonly processed?: number | null;
  /** The most likely tokens in its place, best first. */
  readonly top: readonly { readonly logprob: number | null }[];
}

export type TokenScale = 'probability' | 'rank' | 'entropy';

/** From 1, expected, to 6, surprising; null without figures. */
export type HeatLevel = 1 | 2 | 3 | 4 | 5 | 6;

const PROBABILITY_STEPS = [0.8, 0.5, 0.2, 0.05, 0.01];
const RANK_STEPS = [1, 2, 4, 8, 16];
/** Bits. Ten equally likely tokens have 3.3. */
const ENTROPY_STEPS = [0.25, 0.75, 1.5, 2.25, 2.75];

export function heatOf(token: TokenChance, scale: TokenScale): HeatLevel | null {
  if (token.logprob === null) return null;
  if (scale === 'probability') return levelBelow(Math.exp(token.logprob), PROBABILITY_STEPS);
  if (scale === 'rank') return levelAbove(rankOf(token), RANK_STEPS);
  return levelAbove(entropyOf(token), ENTROPY_STEPS);
}

/** A change of less is not marked: with most parameters, every probability changes a little. */
const MIN_CHANGE = Math.log(2);

/** Whether the parameters of the run made a token at least twice or half as likely, or impossible. */
export function isReshaped({ logprob, processed }: Pick<TokenChance, 'logprob' | 'processed'>): boolean {
  if (logprob === null || processed === undefined) return false;
  return processed === null || Math.abs(processed - logprob) >= MIN_CHANGE;
}

/** Position among the most likely tokens, from 1; one more than their number when it is not among them. */
export function rankOf({ logprob, top }: TokenChance): number {
  if (logprob === null) return 1;
  const better = top.filter((other) => other.logprob !== null && other.logprob > logprob).length;
  return better + 1;
}

/** Entropy of the most likely tokens among themselves, in bits. */
export function entropyOf({ top }: TokenChance): number {
  const chances = top.map(({ logprob }) => (logprob === null ? 0 : Math.exp(logprob)));
  const sum = chances.reduce((total, chance) => total + chance, 0);
  if (sum === 0) return 0;
  return chances.reduce(
    (total, chance) => (chance === 0 ? total : total - (chance / sum) * Math.log2(chance / sum)),
    0,
  );
}

/** `31 %`, with more digits for small ones. */
export function formatChance(logprob: number | null): string {
  if (logprob === null) return '–';
  const percent = 100 * Math.exp(logprob);
  if (percent >= 99.95) return '100 %';
  if (percent >= 10) return `${percent.toFixed(0)} %`;
  if (percent >= 0.1) return `${percent.toFixed(1)} %`;
  return percent >= 0.01 ? `${percent.toFixed(2)} %` : '< 0.01 %';
}

/** A token with its spaces and line ends visible. */
export function visibleToken(label: string): string {
  return label.replaceAll('\n', '↵').replaceAll('\t', '⇥').replace(/^ /, '·');
}

/** The same within a text: lines break where they did. */
export function flowingToken(text: string): string {
  return text.replaceAll('\n', '↵\n').replaceAll('\t', '⇥').replace(/^ /, '\u200b·');
}

function levelBelow(value: number, steps: readonly number[]): HeatLevel {
  const index = steps.findIndex((step) => value >= step);
  return ((index < 0 ? steps.length : index) + 1) as HeatLevel;
}

function levelAbove(value: number, steps: readonly number[]): HeatLevel {
  const index = steps.findIndex((step) => value <= step);
  return ((index < 0 ? steps.length : index) + 1) as HeatLevel;
}
