// A PostgreSQL server in a temporary folder, from the binaries that are installed.
import { execFileSync, spawnSync } from 'node:child_process';
import { appendFileSync, chownSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const INSTALLED = '/usr/lib/postgresql';

/** `address`: where it listens. `range`: the addresses that may connect beside those of this machine. */
export async function startTemporaryPostgres({ address = '127.0.0.1', range = null } = {}) {
  const versions = readdirSync(INSTALLED).sort((a, b) => Number(a) - Number(b));
  const bin = join(INSTALLED, versions.at(-1), 'bin');
  const folder = mkdtempSync(join(tmpdir(), 'gptj-postgres-'));
  const isRoot = process.getuid?.() === 0;
  if (isRoot) {
    const id = (flag) => Number(execFileSync('id', [flag, 'postgres']));
    chownSync(folder, id('-u'), id('-g'));
  }
  // PostgreSQL refuses to run as root.
  const run = (name, ...words) => {
    const [command, ...rest] = isRoot
      ? ['runuser', '-u', 'postgres', '--', join(bin, name), ...words]
      : [join(bin, name), ...words];
    const { status, stderr, error } = spawnSync(command, rest, {
      stdio: ['ignore', 'ignore', 'pipe'],
      encoding: 'utf8',
      cwd: folder,
    });
    if (status !== 0) throw error ?? new Error(`${name}: ${stderr}`);
  };
  const port = await freePort();
  const data = join(folder, 'data');
  const options = `-c listen_addresses=${address} -c port=${port} -c unix_socket_directories=${folder}`;
  run('initdb', '--pgdata', data, '--username', 'gptj', '--auth', 'trust', '--encoding', 'UTF8', '--locale', 'C');
  if (range !== null) appendFileSync(join(data, 'pg_hba.conf'), `host all all ${range} trust\n`);
  const start = () =>
    run('pg_ctl', 'start', '--pgdata', data, '--wait', '--silent', '--log', join(folder, 'log'), '--options', options);
  const stop = (mode = 'fast') => run('pg_ctl', 'stop', '--pgdata', data, '--mode', mode, '--silent');
  start();
  return {
    folder,
    url: `postgres://gptj@${address}:${port}/postgres`,
    start,
    stop,
    close() {
      try {
        stop('immediate');
      } catch {
        // It does not run.
      }
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}
