/** Writes the files of a run into a folder. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type EvaluationReport,
  type FormEvaluation,
  harnessName,
  renderChart,
  toHarnessResults,
  toHarnessSamples,
} from '@gptj-cloud/evals';
import { writeNewFile } from '../write-new-file.ts';

export interface ResultFiles {
  readonly folder: string;
  readonly report: EvaluationReport;
  readonly evaluations: readonly FormEvaluation[];
  readonly seconds: number;
  readonly date: Date;
  readonly trainingFlops: number | null;
}

/** The name of the file that `gptj eval diff` reads. */
export const REPORT_FILE = 'evaluation.json';

/** Files of an earlier run are replaced, each as a whole. */
export async function writeResults({ folder, trainingFlops, ...run }: ResultFiles): Promise<void> {
  const { report, evaluations } = run;
  await mkdir(folder, { recursive: true });
  const write = (name: string, text: string): Promise<void> =>
    writeNewFile(join(folder, name), text, { overwrite: true });
  for (const evaluation of evaluations) {
    const lines = toHarnessSamples(evaluation).map((line) => `${line}\n`);
    await write(`samples_${fileName(harnessName(evaluation))}.jsonl`, lines.join(''));
  }
  await write('results.json', `${JSON.stringify(toHarnessResults(run), null, 2)}\n`);
  await write('chart.svg', renderChart(report, { trainingFlops }));
  await write(REPORT_FILE, `${JSON.stringify(report)}\n`);
}

function fileName(name: string): string {
  return name.replaceAll(/[^\w.-]/g, '_');
}
