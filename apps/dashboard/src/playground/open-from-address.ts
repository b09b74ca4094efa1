/** Opens what the address names: a stored run, or a shared text. */
import type { Run } from '@gptj-cloud/sdk';
import { cloud } from '../api/cloud.ts';
import type { Draft } from './document/draft.ts';
import { draftOfPassages, draftOfRun, type Passage } from './document/imported.ts';
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
  const { include_input, remove_input } = parameters;
  const output = arrivalsOfResult('', run)[0]?.text ?? '';
  if ((remove_input === undefined ? include_input === true : remove_input === false) && output.startsWith(text)) {
    const passages: readonly Passage[] = [
      { kind: 'typed', text },
      { kind: 'generated', text: output.slice(text.length) },
    ];
    return draftOfPassages(
      id,
      own,
      passages.filter((passage) => passage.text !== ''),
    );
  }
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
