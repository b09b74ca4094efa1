/** Stores reports of runs with a server: one that has ended now, or the files of one. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import {
  type DocumentTexts,
  type EvaluationReport,
  type FormEvaluation,
  readReport,
  readSample,
  toHarnessSamples,
} from '@gptj-cloud/evals';
import type { Evaluation } from '@gptj-cloud/sdk';
import type { OpenedClient } from '../client/open-client.ts';
import type { CommandContext } from '../command.ts';
import { dim } from '../output.ts';
import { printable } from '../printable.ts';
import { readTextFile } from '../read-text-file.ts';
import { createCountProgress } from './count-progress.ts';
import { type ReportUpload, uploadReport } from './upload-report.ts';
import { REPORT_FILE, reportText, samplesFile } from './write-results.ts';

interface Store {
  readonly context: CommandContext;
  readonly client: OpenedClient;
  /** Null: the model and its type. */
  readonly name: string | null;
}

/** A run of this process. */
export async function storeRun(
  store: Store,
  report: EvaluationReport,
  evaluations: readonly FormEvaluation[],
): Promise<Evaluation> {
  const textsOf = (task: number): Iterable<DocumentTexts> =>
    toHarnessSamples(evaluations[task]!).map((line) => readSample(line, 'the run'));
  return await storeReport(store, { report, text: reportText(report), textsOf });
}

/** The files of `--out`. The texts of documents are stored where their samples are in the folder. */
export async function storeRunFolder(store: Store, folder: string): Promise<Evaluation> {
  const file = join(folder, REPORT_FILE);
  const text = await readTextFile(file);
  const report = readReport(text, file);
  const textsOf = async (task: number): Promise<Iterable<DocumentTexts>> => {
    const { task: name, form } = report.tasks[task]!;
    const samples = join(folder, samplesFile({ task: { name }, form }));
    const lines = await readTextFile(samples).catch((error: unknown) => {
      if (error instanceof Error && /ENOENT/.test(String(error.cause ?? error))) return null;
      throw error;
    });
    if (lines === null) {
      store.context.stderr.write(
        `warning: ${printable(samples)} is missing: the texts of its documents are not stored\n`,
      );
      return [];
    }
    return lines
      .split('\n')
      .filter((line) => line !== '')
      .map((line, at) => readSample(line, `${samples}, line ${at + 1}`));
  };
  return await storeReport(store, { report, text, textsOf });
}

async function storeReport(
  { context, client, name }: Store,
  { report, text, textsOf }: Pick<ReportUpload, 'report' | 'textsOf'> & { readonly text: string },
): Promise<Evaluation> {
  const { stderr, now, signal } = context;
  const { model, type } = report.model;
  const progress = createCountProgress(stderr, now, 'storing');
  try {
    const stored = await uploadReport({
      api: client.api,
      report,
      hash: createHash('sha256').update(text).digest('hex'),
      name:
        name ??
        [model, type]
          .filter((part) => part !== null)
          .join(', ')
          .slice(0, 100),
      textsOf,
      signal,
      onProgress: progress.update,
    });
    progress.clear();
    stderr.write(`${dim(stderr, printable(`stored as ${stored.id}: ${client.url}/evaluations/${stored.id}`))}\n`);
    return stored;
  } finally {
    progress.clear();
  }
}
