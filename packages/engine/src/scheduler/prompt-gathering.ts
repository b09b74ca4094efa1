import type { Generation } from './generation.ts';

/** Tokens of prompts, of all generations together, for which others wait at most. */
const MAX_GATHERED_TOKENS = 512;

/**
 * The generations of the only tenant that take part in the next evaluation. Those that have computed their prompts and nothing else wait for the
 * prompts that arrived before their first token: from then on they decode together. A step of eight rows costs a large
 * model little more than one of a single row, so all of them end earlier than when each decodes beside the prompts of the
 * others, and none has its first token later.
 *
 * Nothing waits while any generation has decoded more than its first token, for prompts of more than `MAX_GATHERED_TOKENS` tokens
 * in all, or for a prompt of a lower priority.
 */
export function gatherPrompts(generations: readonly Generation[]): readonly Generation[] {
  const working = generations.filter(({ run }) => run!.work.length > 0);
  const beginning = working.filter(({ steps }) => steps === 0);
  const decoding = new Set(working.filter(({ steps }) => steps > 0));
  if (beginning.length === 0 || tokensLeft(beginning) > MAX_GATHERED_TOKENS) return generations;
  const mayWait = ({ steps, firstStepAt, priority }: Generation): boolean =>
    steps === 1 && beginning.some((other) => other.arrivedAt <= firstStepAt! && other.priority >= priority);
  return [...decoding].every(mayWait) ? generations.filter((one) => !decoding.has(one)) : generations;
}

function tokensLeft(generations: readonly Generation[]): number {
  return generations.reduce(
    (sum, { run }) => run!.work.reduce((tokens, { row, fed }) => tokens + row.tokens.length - fed, sum),
    0,
  );
}
