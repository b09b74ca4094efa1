// A rolling update and its way back: two servers on one PostgreSQL, of the release before and of this checkout, while clients make runs at
// one of them and read their streams at one of them. The first new server migrates the schema while the old one works; the old one is
// killed and starts again on the newer schema; both are replaced; one goes back. Runs of every combination must occur: accepted by one
// release, executed by either, read at either. Each must end once, be charged once, and its stream be that of an undisturbed server
// while the server that executed it lives.
// Then the store is marked as one that the release before cannot read: it must refuse to start, and the servers that run go on.
//
//   node scripts/trials/rolling-update.mjs [clients, 6] [seconds that a mixed phase lasts at least, 10]
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createGuardedPool } from '../../apps/server/dist/store/guarded-pool.js';
import { transpile } from '../prepare/transpile.mjs';
import { prepare, root } from '../prepare.mjs';
import { checkOutPrevious, describeMissingPrevious, previous } from './previous-checkout.mjs';
import { faultsOfLedger, watchEnds } from './run-oracle.mjs';
import { makeRun } from './run-readers.mjs';
import { startTemporaryPostgres } from './temporary-postgres.mjs';
import { startTrialServer } from './trial-server.mjs';

const [clientCount = 6, phaseSeconds = 10] = process.argv.slice(2).map(Number);
const TOKEN = 'trial-token-0123456789';
const HEADERS = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' };
const PROMPTS = Array.from({ length: 6 }, (_, i) => `prompt number ${i}`);
/** The same text whatever runs beside it. */
const parameters = { do_sample: false, deterministic: true };
const RUN_LIMIT_MS = 180_000;
const PHASE_LIMIT_MS = 240_000;
const log = (text) => console.log(`${new Date().toISOString().slice(11, 19)} ${text}`);

const missing = describeMissingPrevious();
if (missing !== null) {
  console.error(missing);
  process.exit(2);
}
await prepare();
const folder = mkdtempSync(join(tmpdir(), 'gptj-previous-'));
checkOutPrevious(folder);
await transpile(folder, 'apps/cli');
log(`the release before is ${previous.commit.slice(0, 8)}`);

const FOLDERS = { old: folder, new: root };
const postgres = await startTemporaryPostgres();
// `openPostgres` would migrate the schema.
const client = createGuardedPool({ connectionString: postgres.url, max: 2, onOutage: () => {}, onAnswer: () => {} });
const db = { execute: async (query) => await client.query(query) };
const places = [createPlace(await freePort()), createPlace(await freePort())];
const [first, second] = places;
/** The release of each server process, by its id in the store. */
const releases = new Map();
/** When the server processes that have ended were stopped or killed. */
const endedAt = new Map();
/** Of both releases, by prompt. */
const expected = new Map(PROMPTS.map((prompt) => [prompt, new Set()]));
const seen = [];
const faults = [];
let stopped = false;
let cut = 0;
let cutAtOld = 0;
let failed = true;
try {
  await first.start('old');
  await watchEnds(db);
  await second.start('old');
  await learnStreams('old');
  const clients = Array.from({ length: clientCount }, (_, i) => makeRuns(i));
  await sleep(2_000);
  log('the second server is replaced: it migrates the schema');
  await second.replace('new');
  log(`the schema is ${await schemaVersion()}`);
  await mixedPhase();
  log('the old server is killed, and starts on the newer schema');
  first.kill();
  await first.start('old');
  await mixedPhase();
  log('the first server is replaced');
  await first.replace('new');
  await sleep(phaseSeconds * 1000);
  log('the second server goes back to the release before');
  await second.replace('old');
  await mixedPhase();
  stopped = true;
  await Promise.all(clients);
  await second.replace('new');
  await learnStreams('new');
  await refuseOldReaders();

  const executors = await executorsOf(seen);
  for (const one of seen) {
    if (one.state !== 'complete') faults.push(`run ${one.id} ended as ${one.state}`);
    if (expected.get(one.prompt).has(writtenBy(one.tokens))) continue;
    // The events of a run that has ended go with the server that executed it: a reader that is not at their end gets the run's end alone.
    if (endedAt.get(executors.get(one.id)) < one.readAt && isBeginning(one)) cut++;
    // That release loses events at other moments, too; what its own readers get cannot be mended any more.
    else if (one.readAtOld && isBeginning(one)) cutAtOld++;
    else {
      faults.push(
        `run ${one.id}, accepted by ${one.accepted}, executed by ${releases.get(executors.get(one.id))}, read at ${one.read}: text or tokens that no undisturbed server sends; ` +
          `${one.tokens.length} events, ${one.runEvents} run events, ${one.restarts} restarts, ${one.reconnects} connections lost`,
      );
    }
  }
  faults.push(...(await faultsOfLedger(db, new Set(seen.map(({ id }) => id)), log)));
  const same = [...expected.values()].filter((streams) => streams.size === 1).length;
  log(`${seen.length} runs; the streams of ${same} of ${PROMPTS.length} prompts are the same in both releases`);
  log(`${cut} readers got a part of the events and the end: the server that executed the run had ended`);
  log(`${cutAtOld} more readers at the release before got a part of the events and the end`);
  for (const [name, count] of await countCombinations(seen)) log(`  ${name}: ${count}`);
  for (const fault of faults.slice(0, 40)) console.error(fault);
  log(faults.length === 0 ? 'no fault' : `${faults.length} faults`);
  failed = faults.length > 0;
} finally {
  for (const place of places) place.kill();
  await client.end();
  postgres.close();
  rmSync(folder, { recursive: true, force: true });
}
process.exit(failed ? 1 : 0);

/** Text and tokens of a stream. An engine sends one token or several in an event, as its reader keeps up. */
function writtenBy(events) {
  const parsed = events.map((data) => JSON.parse(data));
  return JSON.stringify([parsed.map(({ text }) => text).join(''), parsed.flatMap(({ tokens }) => tokens)]);
}

function isBeginning({ prompt, tokens }) {
  const [text] = JSON.parse(writtenBy(tokens));
  return [...expected.get(prompt)].some((stream) => JSON.parse(stream)[0].startsWith(text));
}

async function makeRuns(at) {
  for (let n = at; !stopped; n++) {
    const [accepting, reading] = [anyPlace(), anyPlace()];
    const prompt = PROMPTS[n % PROMPTS.length];
    try {
      const [release, reader] = [accepting.release, reading.release];
      const run = await makeRun({
        urls: [accepting.url],
        readers: [reading.url],
        headers: HEADERS,
        prompt,
        parameters,
        limitMs: RUN_LIMIT_MS,
      });
      seen.push({
        ...run,
        prompt,
        accepted: release,
        read: reader,
        readAtOld: [reader, reading.release].includes('old'),
        readAt: performance.now(),
      });
    } catch (error) {
      faults.push(String(error));
    }
  }
}

/** What an undisturbed server of each release sends: the new one may round otherwise. */
async function learnStreams(release) {
  if (places.some((place) => place.release !== release)) throw new Error(`a server is not of the ${release} release`);
  for (const prompt of PROMPTS) {
    const { tokens } = await makeRun({
      urls: [first.url],
      headers: HEADERS,
      prompt,
      parameters,
      limitMs: RUN_LIMIT_MS,
    });
    expected.get(prompt).add(writtenBy(tokens));
  }
}

/** Until every combination has occurred once more. */
async function mixedPhase() {
  const from = seen.length;
  const begun = performance.now();
  for (;;) {
    await sleep(1_000);
    const ms = performance.now() - begun;
    const found = (await countCombinations(seen.slice(from))).size;
    if (ms > phaseSeconds * 1000 && found === 8) return;
    if (ms > PHASE_LIMIT_MS) {
      faults.push(`${found} of 8 combinations of releases in a mixed phase`);
      return;
    }
  }
}

/** The server process that executed each run, by the run's id. */
async function executorsOf(runs) {
  const ids = runs.map(({ id }) => id);
  const { rows } = await client.query('SELECT id, executed_by FROM runs WHERE id = ANY($1)', [ids]);
  return new Map(rows.map((row) => [row.id, row.executed_by]));
}

async function countCombinations(runs) {
  const executors = await executorsOf(runs);
  const counts = new Map();
  for (const { id, accepted, read } of runs) {
    const name = `accepted by ${accepted}, executed by ${releases.get(executors.get(id))}, read at ${read}`;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return new Map([...counts].sort());
}

/** A later migration says that only its own program reads the store. */
async function refuseOldReaders() {
  const next = (await schemaVersion()) + 1;
  await client.query("INSERT INTO schema_migrations (version, name, sha256, min_reader) VALUES ($1, 'later', '', $1)", [
    next,
  ]);
  const third = createPlace(await freePort());
  for (const release of ['old', 'new']) {
    const refusal = await third.start(release).then(
      () => 'it started',
      (error) => String(error),
    );
    third.kill();
    log(
      `a store of a later version refuses the ${release} release: ${/[^\n]*newer version[^\n]*/.exec(refusal)?.[0] ?? refusal}`,
    );
    if (!refusal.includes('a newer version wrote this store'))
      faults.push(`the ${release} release was not refused: ${refusal}`);
  }
  const { state } = await makeRun({
    urls: [first.url],
    headers: HEADERS,
    prompt: PROMPTS[0],
    parameters,
    limitMs: RUN_LIMIT_MS,
  });
  if (state !== 'complete') faults.push('a server that runs does not go on');
  await client.query('DELETE FROM schema_migrations WHERE version = $1', [next]);
}

async function schemaVersion() {
  return (await client.query('SELECT max(version)::int AS version FROM schema_migrations')).rows[0].version;
}

function anyPlace() {
  return places[Math.floor(Math.random() * places.length)];
}

/** An address where a server of either release runs. */
function createPlace(port) {
  let server = null;
  let node = null;
  const place = {
    url: `http://127.0.0.1:${port}`,
    release: null,
    async start(release) {
      const env = {
        DATABASE_URL: postgres.url,
        PORT: String(port),
        GPTJ_API_TOKEN: TOKEN,
        MAX_RUNNING_RUNS: '1',
        MAX_WAITING_RUNS: '1000',
      };
      server = await startTrialServer({ checkout: FOLDERS[release], env });
      place.release = release;
      for (;;) {
        const { rows } = await client.query('SELECT id FROM nodes WHERE url = $1 ORDER BY started_at DESC', [
          place.url,
        ]);
        if (rows.length > 0 && !releases.has(rows[0].id)) {
          node = rows[0].id;
          releases.set(node, release);
          return;
        }
        await sleep(100);
      }
    },
    async replace(release) {
      endedAt.set(node, performance.now());
      const status = await server.stop();
      if (status !== 0) faults.push(`a server of the ${place.release} release ended with ${status}`);
      await place.start(release);
    },
    kill() {
      endedAt.set(node, performance.now());
      if (server?.isRunning()) process.kill(server.pid, 'SIGKILL');
    },
  };
  return place;
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}
