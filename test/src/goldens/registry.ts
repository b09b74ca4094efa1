import { BUILTIN_TASKS } from '@gptj-cloud/evals';
import { runDecode } from './decode.ts';
import { runErrors } from './errors.ts';
import { runFewShot } from './few-shot.ts';
import type { GoldenRunner } from './golden-runner.ts';
import { runLogLikelihoods } from './log-likelihoods.ts';
import { runPickleVectors } from './pickle-vectors.ts';
import { runProcessors } from './processors.ts';
import { runRequestForms, runRequestHashes } from './request-hashes.ts';

/** The golden files that can be run, by name. A new kind of file is one module and one line here. */
export const GOLDEN_RUNNERS: ReadonlyMap<string, GoldenRunner> = new Map<string, GoldenRunner>([
  ['decode.json', runDecode],
  ['decode-edges.json', runDecode],
  ['errors.json', runErrors],
  ['few-shot.json', runFewShot],
  ['pickle-vectors.json', runPickleVectors],
  ['processors.json', runProcessors],
  ['processors-edges.json', runProcessors],
  ['request-forms.json', runRequestForms],
  ['request-hashes.json', runRequestHashes],
]);

/** Files of log-likelihoods by task. They need a checkpoint that the project does not have. */
export const REFERENCE_RUNNERS: ReadonlyMap<string, GoldenRunner> = new Map(
  BUILTIN_TASKS.map(({ name }) => [`${name}.json`, runLogLikelihoods]),
);
