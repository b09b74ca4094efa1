// `npm run screens`: renders the pages of the dashboard, in every state of test/src/dashboard/screens, into PNG files.
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { prepareWithDashboard, root } from './prepare.mjs';

const USAGE = `usage: npm run screens [-- options]

Starts a server and Chromium, and writes PAGE-STATE-THEME-WIDTH.png for every screen. Exit status 1 when a page reports a
violated policy, an error of a script or a request to another host.

  --page PAGE      only this page: runs
  --state STATE    only this state: empty
  --theme THEME    only light or dark
  --width WIDTH    only 1440 or 390
  --out DIR        default docs/screens
  -h, --help       show this text`;

const { values } = parseArgs({
  options: {
    page: { type: 'string' },
    state: { type: 'string' },
    theme: { type: 'string' },
    width: { type: 'string' },
    out: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  },
});
if (values.help) console.log(USAGE);
else await render();

async function render() {
  const failure = await prepareWithDashboard();
  if (failure !== null) throw new Error(failure);
  const { renderScreens } = await import('../test/dist/dashboard/render-screens.js');
  const { width, out, help: _, ...choice } = values;
  const failures = await renderScreens({
    ...choice,
    ...(width === undefined ? {} : { width: Number(width) }),
    out: out === undefined ? resolve(root, 'docs', 'screens') : resolve(process.env.INIT_CWD ?? root, out),
    print: (line) => console.log(line),
  });
  if (failures > 0) process.exitCode = 1;
}
