/**
 * The two transactions of a run. The first stores reservation, data and run. The second stores result, state, metering
 * and webhook deliveries; only the owner of the lease can commit it, so that a run ends once, however often it
 * was executed. Runs that arrive during such a transaction share the next one (group commit).
 */
import { ApiError } from '@gptj-cloud/protocol';
import type { Principal } from '../identity/principal.ts';
import type { StorageAddition, StorageLimits } from '../metering/storage/storage-limits.ts';
import type { Admission, AdmittedRun, GenerationEstimate } from '../metering/usage/admission.ts';
import { batched } from '../store/batched.ts';
import type { Database } from '../store/db.ts';
import { addCounts } from './counts/run-counts-store.ts';
import type { StoredData } from './data/data.ts';
import { holdData, insertAllData } from './data/data-store.ts';
import type { NewFile } from './files/file.ts';
import { isSliced } from './files/file-slices-store.ts';
import { insertFilesWith, type NewFileRow, removeUnstored, writeLargeFile } from './files/file-store.ts';
import type { RunEnding } from './run-end.ts';
import { endRuns, insertRuns, type NewRun } from './run-store.ts';

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
  readonly storage: StorageLimits;
  readonly onRunsEnd: OnRunsEnd;
}

/** A run to accept. */
export interface AcceptableRun {
  readonly principal: Principal;
  readonly estimate: GenerationEstimate;
  readonly row: Omit<NewRun, 'priority' | 'admissionTicket'>;
  /** Its input, to be stored as the data with the id of the row; null when they are stored already. */
  readonly input: NewFile | null;
}

/** A run that is only checked. */
export type CheckableRun = Pick<AcceptableRun, 'principal' | 'estimate' | 'input'>;

export interface AccountedEnding extends RunEnding {
  /** The reservation that the end releases. */
  readonly ticket: string | null;
}

export interface RunLedger {
  /**
   * Store a run. Null: its project has a run under the same idempotency key. Throws the refusal of admission, and
   * `not_found` when its data were removed; nothing is stored then.
   */
  accept(run: AcceptableRun): Promise<AdmittedRun | null>;
  /** The error that `accept` would throw now; null when it would store the run. Nothing is stored or reserved. */
  refusalOf(run: CheckableRun): Promise<ApiError | null>;
  /** Store an end; false when the run has ended already or its lease has another owner. */
  recordEnd(ending: AccountedEnding): Promise<boolean>;
}

/** A larger input or result has its own transaction, so that others do not wait for it. */
const MAX_SHARED_BYTES = 2 ** 16;

export function createRunLedger(deps: RunLedgerDeps): RunLedger {
  const { db } = deps;
  const acceptAll = (runs: readonly AcceptableRun[]) => db.transaction((tx) => storeRuns(deps, tx, runs));
  const endAll = async (endings: readonly AccountedEnding[]): Promise<readonly boolean[]> => {
    const { stored, afterCommit } = await db.transaction((tx) => storeEnds(deps, tx, endings));
    afterCommit();
    return stored;
  };
  // Both may be repeated after a failure: ids are new, and a run that has ended cannot be ended again.
  const accept = batched('accept', acceptAll, { retryIndividually: true });
  const end = batched('end', endAll, { retryIndividually: true });
  return {
    async accept(run) {
      const shared = run.row.idempotencyKey === null && (run.input?.sizeBytes ?? 0) <= MAX_SHARED_BYTES;
      try {
        const answer = shared ? await accept(run) : (await acceptAll([run]))[0];
        if (answer instanceof ApiError) throw answer;
        return answer ?? null;
      } catch (error) {
        if (error instanceof KeyTaken) return null;
        throw error;
      }
    },
    refusalOf: (run) => checkRun(deps, run),
    async recordEnd(ending) {
      const file = 'result' in ending.end ? ending.end.result.file : null;
      if (file === null || file.sizeBytes <= MAX_SHARED_BYTES) return await end(ending);
      if (!isSliced(file.sizeBytes)) return (await endAll([ending]))[0] === true;
      try {
        await writeLargeFile(db, { projectId: ending.ender.projectId, file, createdAt: ending.ender.endedAt });
        return (await endAll([ending]))[0] === true;
      } catch (error) {
        await removeUnstored(db, file.id);
        throw error;
      }
    },
  };
}

/** Rolls back: the project has a run under this idempotency key. */
class KeyTaken extends Error {
  override readonly name = 'KeyTaken';
}

/** Rolls back a check. */
class Checked extends Error {
  override readonly name = 'Checked';
  readonly refusal: ApiError | null;

  constructor(refusal: ApiError | null) {
    super('a check stores nothing');
    this.refusal = refusal;
  }
}

/** Makes the reservation of a run and rolls it back: the same statements decide as for the run itself. */
async function checkRun({ db, admission, storage }: RunLedgerDeps, run: CheckableRun): Promise<ApiError | null> {
  try {
    return await db.transaction(async (tx) => {
      const [full = null] = await storage.check(tx, [additionOf(run)]);
      const [admitted] = full === null ? await admission.admitRuns(tx, [run]) : [];
      throw new Checked(full ?? (admitted instanceof ApiError ? admitted : null));
    });
  } catch (error) {
    if (error instanceof Checked) return error.refusal;
    throw error;
  }
}

async function storeRuns(
  { admission, storage }: RunLedgerDeps,
  tx: Database,
  runs: readonly AcceptableRun[],
): Promise<readonly (AdmittedRun | ApiError)[]> {
  // Data that are named may have been removed since they were read.
  const held = await holdData(
    tx,
    runs.flatMap(({ row, input }) => (input === null ? [row.dataId] : [])),
  );
  const complete = runs.filter(({ row, input }) => input !== null || held.has(row.dataId));
  const refusals = await storage.check(tx, complete.map(additionOf));
  const stored = complete.filter((_, i) => refusals[i] === null);
  const admissions = await admission.admitRuns(tx, stored);
  const answers = new Map<AcceptableRun, AdmittedRun | ApiError | undefined>([
    ...complete.map((run, i): [AcceptableRun, ApiError | undefined] => [run, refusals[i] ?? undefined]),
    ...stored.map((run, i): [AcceptableRun, AdmittedRun | ApiError | undefined] => [run, admissions[i]]),
  ]);
  const rows: NewRun[] = [];
  const inputs: (NewFileRow & { readonly data: StoredData })[] = [];
  for (const [{ row, input: file }, admitted] of answers) {
    if (admitted === undefined || admitted instanceof ApiError) continue;
    rows.push({ ...row, priority: admitted.priority, admissionTicket: admitted.ticket });
    const { projectId, dataId: id, createdAt } = row;
    if (file !== null) inputs.push({ projectId, createdAt, file, data: { id, createdAt, file } });
  }
  if (rows.length > 0) {
    const [, inserted] = await insertFilesWith(tx, inputs, () =>
      Promise.all([insertAllData(tx, inputs), insertRuns(tx, rows)]),
    );
    // Only a run that is stored alone can have a key.
    if (inserted.size < rows.length) throw new KeyTaken();
  }
  return runs.map((run) => answers.get(run) ?? new ApiError('not_found', { kind: 'data', id: run.row.dataId }));
}

/** A run and its result, and its input unless that is stored. The size of the result is not known. */
function additionOf({ principal, input }: CheckableRun): StorageAddition {
  return { principal, bytes: input?.sizeBytes ?? 0, items: input === null ? 2 : 4 };
}

async function storeEnds(
  { admission, onRunsEnd }: RunLedgerDeps,
  tx: Database,
  endings: readonly AccountedEnding[],
): Promise<{ readonly stored: readonly boolean[]; readonly afterCommit: () => void }> {
  const { stored, counted } = await endRuns(tx, endings);
  const ended = endings.filter((_, i) => stored[i]);
  if (ended.length === 0) return { stored, afterCommit: () => {} };
  const ends = ended.map(({ ender: { runId, projectId, endedAt }, end }): RunEnd => {
    return { runId, projectId, endedAt, event: 'result' in end ? 'run.completed' : 'run.failed' };
  });
  const settled = ended.flatMap(({ ticket, cost }) => (ticket === null ? [] : [{ ticket, cost }]));
  const [, , afterCommit] = await Promise.all([
    addCounts(tx, counted),
    admission.endRuns(tx, settled),
    onRunsEnd(tx, ends),
  ]);
  return { stored, afterCommit };
}
