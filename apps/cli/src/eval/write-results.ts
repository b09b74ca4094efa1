/** Writes the files of a run into a folder. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  drawChart,
  type EvaluationReport,
  type FormEvaluation,
  harnessName,
  toHarnessResults,
  toHarnessSamples,
  toPng,
  toSvg,
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
  const write = (name: string, contents: string | Uint8Array): Promise<void> =>
    writeNewFile(join(folder, name), contents, { overwrite: true });
  for (const evaluation of evaluations) {
    const lines = toHarnessSamples(evaluation).map((line) => `${line}\n`);
    await write(samplesFile(evaluation), lines.join(''));
  }
  await write('results.json', `${JSON.stringify(toHarnessResults(run), null, 2)}\n`);
  const chart = drawChart(report, { trainingFlops });
  await write('chart.svg', toSvg(chart));
  await write('chart.png', toPng(chart));
  await write(REPORT_FILE, reportText(report));
}

/** The contents of the report's file. */
export function reportText(report: EvaluationReport): string {
  return `${JSON.stringify(report)}\n`;
}

/** The name of the file with the samples of a task in a form. */
export function samplesFile(evaluation: Parameters<typeof harnessName>[0]): string {
  return `samples_${harnessName(evaluation).replaceAll(/[^\w.-]/g, '_')}.jsonl`;
}
