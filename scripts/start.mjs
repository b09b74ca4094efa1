// `npm start`: everything a fresh clone needs, then the server in this process's place.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { prepare, prepareWithDashboard, root } from './prepare.mjs';

// The server and the client that other programs import. Vite compiles the dashboard, and nothing needs the tests.
const SERVED = ['apps/cli', 'packages/sdk'];
const wantsDashboard = (process.env.GPTJ_DASHBOARD ?? '').trim() !== 'off';
if (wantsDashboard) {
  // The server answers meanwhile; pages appear when the build has ended.
  void prepareWithDashboard({ projects: SERVED }).then((failure) => {
    if (failure !== null) console.error(failure);
  });
} else prepare({ projects: SERVED });
const server = spawn(process.execPath, [join(root, 'apps/cli/dist/main.js'), 'serve', ...process.argv.slice(2)], {
  stdio: 'inherit',
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
