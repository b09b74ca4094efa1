// `npm start`: what a clone needs to serve, then the server, then the dashboard beside it.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { prepareDashboard, prepareServer, root } from './prepare.mjs';

// A start that is interrupted before the server runs.
const interrupt = (status) => () => process.exit(status);
const early = { SIGINT: interrupt(130), SIGTERM: interrupt(143), SIGHUP: interrupt(129) };
for (const [signal, end] of Object.entries(early)) process.on(signal, end);
await prepareServer();
for (const [signal, end] of Object.entries(early)) process.off(signal, end);

console.error('Starting the server …');
const server = spawn(process.execPath, [join(root, 'apps/cli/dist/main.js'), 'serve', ...process.argv.slice(2)], {
  // The channel carries one message: the server listens.
  stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => server.kill(signal));
// npm does not forward SIGTERM to its child but exits: detect that, and stop the server in order.
const { ppid: npm } = process;
const watch = process.env.npm_lifecycle_event === 'start' ? setInterval(endWithNpm, 500) : null;
function endWithNpm() {
  if (process.ppid === npm) return;
  clearInterval(watch);
  server.kill('SIGTERM');
}
server.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGKILL' ? 137 : 1)));
server.once('message', async () => {
  server.disconnect();
  if ((process.env.GPTJ_DASHBOARD ?? '').trim() === 'off') return;
  const failure = await prepareDashboard();
  if (failure !== null) console.error(failure);
});
