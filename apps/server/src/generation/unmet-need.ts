import type { RequestNeed } from '@gptj-cloud/engine';

/** Why no running server computes a request, naming the parameters at fault. */
export function describeUnmetNeed({ parameters }: RequestNeed): string {
  return `${parameters.join(', ')}: expected parameters that a running worker with this model honours, got ones that their completions servers do not; a worker with an engine of its own (or ENGINE_FALLBACK=on) does`;
}
