import type { TaskForm } from '../tasks/task.ts';
import type { TokenScores } from './token-scorer.ts';

/** The two numbers of a request that metrics use. */
export interface RequestScore {
  readonly logLikelihood: number;
  /** Whether greedy decoding writes the continuation. In the published form a token that ties with another counts. */
  readonly isGreedy: boolean;
}

export function toRequestScore({ logprobs, greedy, top }: TokenScores, form: TaskForm): RequestScore {
  const flags = form === 'published' ? top : greedy;
  return { logLikelihood: logprobs.reduce((sum, each) => sum + each, 0), isGreedy: flags.every((flag) => flag) };
}
