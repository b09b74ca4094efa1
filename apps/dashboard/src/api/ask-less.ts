/**
 * What pages ask for beside the user's parameters, where a model cannot give it: a completions server that computes the model
 * reports no log-probabilities after the parameters and draws by no seed of ours, and the server refuses runs that ask for them.
 */
import { InvalidRequestError } from '@gptj-cloud/sdk';

/** The question of every page that shows tokens. */
export const PROCESSED: readonly string[] = ['processed_logprobs'];

export interface LesserInput {
  readonly data: readonly unknown[];
  /** Names of the parameters that it goes without. */
  readonly left: readonly string[];
}

/**
 * The input of a run without those of the optional parameters that were refused; null where none of them was.
 *
 * @param refused the error, or the names that it has
 */
export function withoutRefused(
  data: readonly unknown[],
  optional: readonly string[],
  refused: unknown,
): LesserInput | null {
  const names: unknown = refused instanceof InvalidRequestError ? refused.parameters : refused;
  const [prompt, parameters] = data;
  if (!Array.isArray(names) || typeof parameters !== 'object' || parameters === null) return null;
  const left = optional.filter((name) => names.includes(name) && Object.hasOwn(parameters, name));
  if (left.length === 0) return null;
  const kept = Object.entries(parameters).filter(([name]) => !left.includes(name));
  return { data: [prompt, Object.fromEntries(kept)], left };
}

/** Start a run, without log-probabilities after the parameters where the model cannot report them. */
export async function askLess<Reply>(
  data: readonly unknown[],
  start: (data: readonly unknown[]) => Promise<Reply>,
): Promise<Reply> {
  try {
    return await start(data);
  } catch (error) {
    const less = withoutRefused(data, PROCESSED, error);
    if (less === null) throw error;
    return await start(less.data);
  }
}
