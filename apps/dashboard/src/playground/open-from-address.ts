/** Opens what the address names: a stored run, or a shared text. */
import type { Run } from '@gptj-cloud/sdk';
import { cloud } from '../api/cloud.ts';
import type { Draft } from './document/draft.ts';
import { appendTokens, endGeneration } from './document/generation.ts';
import { draftOfPassages, draftOfRun } from './document/imported.ts';
import { unpackShared } from './share/share-link.ts';
import { ASKED } from './store/playground-store.ts';
import { arrivalsOfResult } from './stream/arrivals.ts';

const SHARED = '#s=';

/** A maker of the draft that the address names; null when it names none. */
export function draftInAddress(runId: string | undefined, hash: string): ((id: string) => Promise<Draft>) | null {
  if (runId !== undefined) return async (id) => await draftOfStoredRun(id, runId);
  if (!hash.startsWith(SHARED)) return null;
  return async (id) => {
    const { passages, parameters } = await unpackShared(hash.slice(SHARED.length));
    return draftOfPassages(id, parameters, passages);
  };
}

/** The draft shows the prompt itself, so that no result needs to begin with it. */
const INPUT_NAMES = new Set(['include_input', 'remove_input']);

async function draftOfStoredRun(id: string, runId: string): Promise<Draft> {
  const [run, { prompt, parameters }] = await Promise.all([cloud().getRun(runId), cloud().runs.input(runId)]);
  const text = typeof prompt === 'string' ? prompt : (await cloud().text.detokenize(prompt)).text;
  const own = Object.fromEntries(
    Object.entries(parameters).filter(([name, value]) => ASKED[name] !== value && !INPUT_NAMES.has(name)),
  );
  const key = `run-${runId}`;
  const draft = draftOfRun(id, {
    key,
    runId,
    prompt: text,
    parameters: own,
    seed: run.seed,
    sequences: sequencesOf(run),
  });
  const { include_input, remove_input } = parameters;
  const hasPrompt = remove_input === undefined ? include_input === true : remove_input === false;
  if (!hasPrompt || run.runState !== 'complete') return draft;
  const arrivals = arrivalsOfResult(key, run).map((arrival) =>
    arrival.text.startsWith(text) ? { ...arrival, text: arrival.text.slice(text.length) } : arrival,
  );
  return endGeneration(appendTokens(draft, arrivals), {
    key,
    finishes: run.finishReasons ?? ['length'],
    failure: null,
  });
}

function sequencesOf(run: Run): number {
  return Math.max(1, run.finishReasons?.length ?? 1);
}
