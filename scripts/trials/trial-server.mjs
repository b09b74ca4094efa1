// A server of its own for one trial: the embedded model, a store in a temporary folder, a port that the system chooses.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from '../prepare.mjs';

const PASSED_ON = ['PATH', 'HOME', 'TMPDIR', 'TMP', 'TEMP', 'SystemRoot'];
const PASSWORD = 'trial Passphrase 4711';

/**
 * Start a server. `env`: further settings. `checkout`: the folder of its program. Returns its address, the owner's token, `log` (its lines so far), `exited` (a
 * promise of its status) and `stop()`, which also removes the folder.
 */
export async function startTrialServer({ env = {}, checkout = root } = {}) {
  const dataDir = await mkdtemp(join(tmpdir(), 'gptj-trial-'));
  const ownerToken = `gptj_trial_${crypto.randomUUID().replaceAll('-', '')}`;
  const shared = Object.fromEntries(
    PASSED_ON.flatMap((name) => (name in process.env ? [[name, process.env[name]]] : [])),
  );
  const child = spawn(process.execPath, [join(checkout, 'apps/cli/bin/gptj.mjs'), 'serve'], {
    env: { ...shared, GPTJ_API_TOKEN: ownerToken, LOG_LEVEL: 'warn', DATA_DIR: dataDir, PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const log = [];
  const keep = (chunk) => log.push(...String(chunk).split('\n').filter(Boolean));
  child.stderr.on('data', keep);
  const exited = once(child, 'exit').then(([status, signal]) => signal ?? status);
  const url = await new Promise((resolve, reject) => {
    child.stdout.on('data', (chunk) => {
      keep(chunk);
      const address = /listens on (http:\/\/\S+?:\d+)/.exec(log.join('\n'))?.[1];
      if (address !== undefined) resolve(address);
    });
    exited.then((status) => reject(new Error(`the server ended with ${status}:\n${log.join('\n')}`)));
  });
  return {
    url,
    ownerToken,
    pid: child.pid,
    dataDir,
    log,
    exited,
    /** Whether the process still runs. */
    isRunning: () => child.exitCode === null && child.signalCode === null,
    async stop() {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), 60_000);
      const status = await exited;
      clearTimeout(timer);
      await rm(dataDir, { recursive: true, force: true });
      return status;
    },
  };
}

/** Register an account of the default plan and make an API token in its project. */
export async function registerAccount(url, name) {
  const json = { 'content-type': 'application/json' };
  const login = await (async () => {
    const registered = await fetch(`${url}/v2/auth/register`, {
      method: 'POST',
      headers: json,
      body: JSON.stringify({ email: `${name}@trial.example`, username: name, password: PASSWORD }),
    });
    if (!registered.ok) throw new Error(`register: ${registered.status} ${await registered.text()}`);
    return await fetch(`${url}/v2/auth/login`, {
      method: 'POST',
      headers: json,
      body: JSON.stringify({ login: name, password: PASSWORD }),
    });
  })();
  const session = await login.json();
  if (!login.ok) throw new Error(`login: ${login.status} ${JSON.stringify(session)}`);
  const cookie = login.headers
    .getSetCookie()
    .map((line) => line.split(';')[0])
    .join('; ');
  const made = await fetch(`${url}/v2/tokens`, {
    method: 'POST',
    headers: { ...json, cookie, 'x-csrf-token': session.csrf_token },
    body: JSON.stringify({ name: 'trial' }),
  });
  const token = await made.json();
  if (!made.ok) throw new Error(`token: ${made.status} ${JSON.stringify(token)}`);
  return { token: token.value };
}
