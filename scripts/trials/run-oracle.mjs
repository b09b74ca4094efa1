// What the database must hold after a trial with runs, whatever happened to the servers: every run ended once and charged once.
import { setTimeout as sleep } from 'node:timers/promises';

/** The database itself records every end, and every change of a run that has ended. */
export async function watchEnds(db) {
  await db.execute(`
    CREATE TABLE trial_ends (id text NOT NULL);
    CREATE TABLE trial_changes (id text NOT NULL);
    CREATE FUNCTION trial_record() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF OLD.ended_at IS NULL THEN INSERT INTO trial_ends VALUES (NEW.id); ELSE INSERT INTO trial_changes VALUES (NEW.id); END IF;
      RETURN NULL;
    END $$;
    CREATE TRIGGER trial_record AFTER UPDATE ON runs FOR EACH ROW WHEN (NEW.ended_at IS NOT NULL) EXECUTE FUNCTION trial_record()`);
}

/**
 * Waits until every run has ended, and lists what is wrong: a run of `readIds` that is lost, one that failed, ended twice or changed
 * after its end, and sums that do not agree with the runs. `log` gets the sums.
 */
export async function faultsOfLedger(db, readIds, log) {
  const one = async (query) => (await db.execute(query)).rows;
  for (let tries = 0; tries < 120; tries++) {
    const [{ open }] = await one('SELECT count(*)::int AS open FROM runs WHERE ended_at IS NULL');
    if (open === 0) break;
    await sleep(500);
  }
  const found = [];
  const runs = await one('SELECT id, state, ended_at, lease_owner, attempts, error, error_exception FROM runs');
  const ids = new Set(runs.map(({ id }) => id));
  for (const id of readIds) if (!ids.has(id)) found.push(`run ${id} was accepted and is lost`);
  for (const run of runs) {
    if (run.ended_at === null) found.push(`run ${run.id} has not ended`);
    else if (run.state !== 'complete') found.push(`run ${run.id} failed: ${run.error} ${run.error_exception}`);
    if (run.lease_owner !== null) found.push(`run ${run.id} has a lease after its end`);
  }
  for (const { id, ends } of await one(
    'SELECT id, count(*)::int AS ends FROM trial_ends GROUP BY id HAVING count(*) > 1',
  )) {
    found.push(`run ${id} ended ${ends} times`);
  }
  for (const { id } of await one('SELECT DISTINCT id FROM trial_changes'))
    found.push(`run ${id} changed after its end`);
  const [sums] =
    await one(`SELECT (SELECT count(*)::int FROM runs) AS runs, (SELECT sum(runs)::int FROM usage_daily WHERE pipeline LIKE 'pipeline\\_%') AS charged,
    (SELECT sum(generated_tokens)::int FROM runs) AS generated, (SELECT sum(generated_tokens)::int FROM usage_daily WHERE pipeline LIKE 'pipeline\\_%') AS metered,
    (SELECT sum(runs)::int FROM run_sums) AS counted,
    (SELECT count(*)::int FROM usage_reservations WHERE state = 'open') AS reserved,
    (SELECT count(*)::int FROM runs WHERE attempts > 1) AS again,
    (SELECT count(*)::int FROM files WHERE is_stored AND id NOT IN (SELECT file_id FROM data)
       AND id NOT IN (SELECT result_file_id FROM runs WHERE result_file_id IS NOT NULL)) AS orphans`);
  log(`the ledger: ${JSON.stringify(sums)}`);
  if (sums.charged !== sums.runs) found.push(`${sums.runs} runs, ${sums.charged} charged`);
  if (sums.metered !== sums.generated) found.push(`${sums.generated} tokens generated, ${sums.metered} metered`);
  if (sums.counted !== sums.runs) found.push(`${sums.runs} runs, ${sums.counted} in the sums`);
  if (sums.reserved !== 0) found.push(`${sums.reserved} reservations stay open`);
  if (sums.orphans !== 0) found.push(`${sums.orphans} files belong to no run`);
  return found;
}
