/**
 * The two transactions of a run. Its beginning: reservation, data and run. Its end: result, state, metering and
 * deliveries to webhooks, which only the owner of the lease can commit, so that a run ends once, however often it was
 * begun. Runs that begin or end while such a transaction is under way share the next one: what many runs at once cost
 * is little more than what one costs.
 */
import { ApiError } from '@gptj-cloud/protocol';
import type { Principal } from '../identity/principal.ts';
import type { Admission, AdmittedRun, GenerationEstimate } from '../metering/usage/admission.ts';
import { batched } from '../store/batched.ts';
import type { Database } from '../store/db.ts';
import type { StoredData } from './data/data.ts';
import { insertAllData } from './data/data-store.ts';
import type { NewFile } from './files/file.ts';
import { insertFiles, type NewFileRow } from './files/file-store.ts';
import { endRuns, insertRuns, type NewRun, type RunEnding } from './run-store.ts';

/** The end of a run that is being stored. */
export interface RunEnd {
  readonly runId: string;
  readonly projectId: string;
  readonly event: 'run.completed' | 'run.failed';
  readonly endedAt: Date;
}

/**
 * Takes part in the transaction that ends runs. The returned function is called when that transaction is committed, and
 * not when it fails; it must not throw.
 */
export type OnRunsEnd = (tx: Database, ends: readonly RunEnd[]) => Promise<() => void>;

export interface RunLedgerDeps {
  readonly db: Database;
  readonly admission: Admission;
  readonly onRunsEnd: OnRunsEnd;
}

/** A run that asks to be accepted. */
export interface AcceptableRun {
  readonly principal: Principal;
  readonly estimate: GenerationEstimate;
  readonly row: Omit<NewRun, 'priority' | 'admissionTicket'>;
  /** Its input, to be stored as the data that the row names; null: that is stored already. */
  readonly input: NewFile | null;
}

export interface AccountedEnding extends RunEnding {
  /** What ends its reservation. */
  readonly ticket: string | null;
}

export interface RunLedger {
  /**
   * Store a run. Null: its project has a run under the same idempotency key. Throws what admission refuses it with;
   * nothing is stored then.
   */
  accept(run: AcceptableRun): Promise<AdmittedRun | null>;
  /** Store an end; false when the run was no longer the ender's. */
  end(ending: AccountedEnding): Promise<boolean>;
}

/** A larger input or result has a transaction to itself: the rest need not wait for it. */
const SHARED_BYTES = 2 ** 16;

export function createRunLedger(deps: RunLedgerDeps): RunLedger {
  const { db } = deps;
  const acceptAll = (runs: readonly AcceptableRun[]) => db.transaction((tx) => storeRuns(deps, tx, runs));
  const endAll = async (endings: readonly AccountedEnding[]): Promise<readonly boolean[]> => {
    const { stored, afterCommit } = await db.transaction((tx) => storeEnds(deps, tx, endings));
    afterCommit();
    return stored;
  };
  // Both may be repeated when they failed: ids are new, and a run that has ended is nobody's to end.
  const accept = batched(acceptAll, { retryIndividually: true });
  const end = batched(endAll, { retryIndividually: true });
  return {
    async accept(run) {
      const shared = run.row.idempotencyKey === null && (run.input?.sizeBytes ?? 0) <= SHARED_BYTES;
      try {
        const answer = shared ? await accept(run) : (await acceptAll([run]))[0];
        if (answer instanceof ApiError) throw answer;
        return answer ?? null;
      } catch (error) {
        if (error instanceof KeyTaken) return null;
        throw error;
      }
    },
    async end(ending) {
      const bytes = 'result' in ending.end ? ending.end.result.file.sizeBytes : 0;
      return bytes <= SHARED_BYTES ? await end(ending) : (await endAll([ending]))[0] === true;
    },
  };
}

/** Rolls back: the project has a run under this idempotency key. */
class KeyTaken extends Error {
  override readonly name = 'KeyTaken';
}

async function storeRuns(
  { admission }: RunLedgerDeps,
  tx: Database,
  runs: readonly AcceptableRun[],
): Promise<readonly (AdmittedRun | ApiError)[]> {
  const answers = await admission.admitRuns(tx, runs);
  const rows: NewRun[] = [];
  const inputs: (NewFileRow & { readonly data: StoredData })[] = [];
  runs.forEach(({ row, input: file }, i) => {
    const admitted = answers[i];
    if (admitted === undefined || admitted instanceof ApiError) return;
    rows.push({ ...row, priority: admitted.priority, admissionTicket: admitted.ticket });
    const { projectId, dataId: id, createdAt } = row;
    if (file !== null) inputs.push({ projectId, createdAt, file, data: { id, createdAt, file } });
  });
  if (rows.length === 0) return answers;
  await insertFiles(tx, inputs);
  await insertAllData(tx, inputs);
  const stored = await insertRuns(tx, rows);
  // Only a run that is stored alone can have a key.
  if (stored.size < rows.length) throw new KeyTaken();
  return answers;
}

async function storeEnds(
  { admission, onRunsEnd }: RunLedgerDeps,
  tx: Database,
  endings: readonly AccountedEnding[],
): Promise<{ readonly stored: readonly boolean[]; readonly afterCommit: () => void }> {
  const stored = await endRuns(tx, endings);
  const ended = endings.filter((_, i) => stored[i]);
  if (ended.length === 0) return { stored, afterCommit: () => {} };
  await admission.endRuns(
    tx,
    ended.flatMap(({ ticket, cost }) => (ticket === null ? [] : [{ ticket, cost }])),
  );
  const ends = ended.map(({ ender: { runId, projectId, endedAt }, end }): RunEnd => {
    return { runId, projectId, endedAt, event: 'result' in end ? 'run.completed' : 'run.failed' };
  });
  return { stored, afterCommit: await onRunsEnd(tx, ends) };
}
