/** Opens what the address names: a stored run, or a shared text. */
import type { Run } from '@gptj-cloud/sdk';
import { cloud } from '../api/cloud.ts';
import type { Draft } from './document/draft.ts';
import { draftOfPassages, draftOfRun } from './document/imported.ts';
import { unpackShared } from './share/share-link.ts';
import { ASKED } from './store/playground-store.ts';

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

async function draftOfStoredRun(id: string, runId: string): Promise<Draft> {
  const [run, { prompt, parameters }] = await Promise.all([cloud().getRun(runId), cloud().runs.input(runId)]);
  const text = typeof prompt === 'string' ? prompt : (await cloud().text.detokenize(prompt)).text;
  const own = Object.fromEntries(Object.entries(parameters).filter(([name, value]) => ASKED[name] !== value));
  return draftOfRun(id, {
    key: `run-${runId}`,
    runId,
    prompt: text,
    parameters: own,
    seed: run.seed,
    sequences: sequencesOf(run),
  });
}

function sequencesOf(run: Run): number {
  return Math.max(1, run.finishReasons?.length ?? 1);
}
