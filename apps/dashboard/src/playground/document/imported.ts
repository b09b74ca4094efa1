/** Drafts that come from elsewhere: from a stored run, from a link. */
import { type Draft, emptyNode, newDraft, type Parameters, stepTo, withChild } from './draft.ts';
import { acceptRun, beginGeneration } from './generation.ts';

/** A stretch of text with its provenance. */
export interface Passage {
  readonly kind: 'typed' | 'generated';
  readonly text: string;
}

/** A draft of passages, one below the other. Generated ones have no tokens. */
export function draftOfPassages(id: string, parameters: Parameters, passages: readonly Passage[]): Draft {
  let draft = newDraft(id, parameters);
  for (const { kind, text } of passages) {
    const content = { ...emptyNode('', draft.here, kind), tokens: null, text };
    const added = withChild(draft, content);
    draft = { ...added.draft, here: added.id };
  }
  return draft;
}

/** A draft that follows a run, from the text of its prompt on. `key` names the generation. */
export function draftOfRun(
  id: string,
  run: {
    readonly key: string;
    readonly runId: string;
    readonly prompt: string;
    readonly parameters: Parameters;
    readonly seed: number | null;
    readonly sequences: number;
  },
): Draft {
  const { seed: _, ...parameters } = run.parameters;
  const prompt = draftOfPassages(id, parameters, run.prompt === '' ? [] : [{ kind: 'typed', text: run.prompt }]);
  const { key, seed, sequences } = run;
  const begun = beginGeneration(prompt, prompt.here, { key, parameters: run.parameters, seed, sequences });
  return stepTo(acceptRun(begun, key, run.runId), begun.here);
}
