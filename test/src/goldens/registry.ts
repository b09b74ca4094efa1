import { runDecode } from './decode.ts';
import { runErrors } from './errors.ts';
import type { GoldenRunner } from './golden-runner.ts';
import { runPickleVectors } from './pickle-vectors.ts';
import { runProcessors } from './processors.ts';

/** The golden files that can be run, by name. A new kind of file is one module and one line here. */
export const GOLDEN_RUNNERS: ReadonlyMap<string, GoldenRunner> = new Map([
  ['decode.json', runDecode],
  ['decode-edges.json', runDecode],
  ['errors.json', runErrors],
  ['pickle-vectors.json', runPickleVectors],
  ['processors.json', runProcessors],
  ['processors-edges.json', runProcessors],
]);
