// Restarts a PostgreSQL again and again under one or more servers with clients that make runs. No server may end, no
// acknowledged run may be missing, and usage must be that of the runs.
//
//   node scripts/trials/postgres-restarts.mjs [restarts, 20] [servers, 2] [clients, 4]
import { setTimeout as sleep } from 'node:timers/promises';
import { faultsOf, progress, show, startClients, startServer, until } from './served-clients.mjs';
import { startTemporaryPostgres } from './temporary-postgres.mjs';

const [restarts = 20, serverCount = 2, clientCount = 4] = process.argv.slice(2).map(Number);
const MODES = ['fast', 'immediate'];

const postgres = await startTemporaryPostgres();
const servers = [];
let failed = false;
try {
  for (let i = 0; i < serverCount; i++) servers.push(await startServer({ DATABASE_URL: postgres.url }));
  const clients = startClients(clientCount, () => servers.map(({ url }) => url));
  for (let i = 1; i <= restarts; i++) {
    await sleep(500 + Math.random() * 2000);
    postgres.stop(MODES[i % 2]);
    // Every fifth time it stays away for a while.
    if (i % 5 === 0) await sleep(6_000);
    postgres.start();
    progress(`restart ${i} of ${restarts}: ${clients.acknowledged.size} runs acknowledged; ${show(clients.statuses)}`);
    const ended = servers.filter((server) => server.ended !== null);
    if (ended.length > 0) throw new Error(`a server ended: ${ended[0].ended}\n${ended[0].lines.slice(-20).join('\n')}`);
  }
  await sleep(3000);
  await clients.stop();
  const isReady = async ({ url }) => (await fetch(`${url}/readyz`)).status === 200;
  for (const server of servers) {
    if (!(await until(() => isReady(server)))) throw new Error('a server is not ready after the last restart');
  }
  const { faults, runs } = await faultsOf(servers[0].url, clients.acknowledged.keys());
  const failedRuns = [...runs.values()].filter((run) => run.run_state === 'failed');
  console.log(
    `\n${restarts} restarts, ${serverCount} servers: ${clients.acknowledged.size} runs acknowledged, ${runs.size} stored, ` +
      `${failedRuns.length} failed; ${show(clients.statuses)}; slowest reply ${Math.round(clients.slowestMs)} ms`,
  );
  for (const fault of faults) console.error(fault);
  for (const server of servers) {
    const tookMs = await server.stop();
    console.log(`SIGTERM ended a server within ${Math.round(tookMs)} ms`);
  }
  failed = faults.length > 0;
} finally {
  for (const server of servers) await server.stop('SIGKILL');
  postgres.close();
}
process.exitCode = failed ? 1 : 0;
