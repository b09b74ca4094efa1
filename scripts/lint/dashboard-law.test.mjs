import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkDashboardLaw } from './dashboard-law.mjs';

const check = (path, text) => checkDashboardLaw([{ path: `apps/dashboard/src/${path}`, text }]);
const importing = (from) => `import { x } from '${from}';\n`;

test('a page imports parts, the client and itself', () => {
  const imports = ['../ui/button.tsx', '../api/session.ts', './run-row.tsx', 'react', '@gptj-cloud/sdk'].map(importing);
  assert.deepEqual(check('runs/runs-page.tsx', imports.join('')), []);
  assert.deepEqual(check('router.tsx', "const page = lazy(() => import('./runs/runs-page.tsx'));\n"), []);
});

test('a page that imports another page or the shell is reported, also in a call of import()', () => {
  assert.match(
    check('home/home-page.tsx', `\n${importing('../runs/state.tsx')}`)[0],
    /^apps\/dashboard\/src\/home\/home-page\.tsx:2 imports runs\/state\.tsx: home may not import runs, only api, ui; move/,
  );
  assert.equal(check('home/home-page.tsx', "const x = await import('../runs/state.tsx');\n").length, 1);
  assert.equal(check('home/home-page.tsx', importing('../shell/shell.tsx')).length, 1);
});

test('parts import no room, and the client imports only parts', () => {
  assert.match(check('ui/button.tsx', importing('../api/session.ts'))[0], /ui may not import api, only itself/);
  assert.deepEqual(check('api/sign-in-form.tsx', importing('../ui/field.tsx')), []);
  assert.equal(check('api/session.ts', importing('../home/home-page.tsx')).length, 1);
});

test('packages of the server are refused, and the protocol is imported for its types alone', () => {
  assert.match(check('runs/a.ts', importing('@gptj-cloud/engine'))[0], /imports only @gptj-cloud\/sdk/);
  assert.match(check('runs/a.ts', importing('@gptj-cloud/protocol'))[0], /write `import type`/);
  assert.deepEqual(check('runs/a.ts', "import type { RunGet } from '@gptj-cloud/protocol';\n"), []);
});

test('a file outside the rooms is reported, a test is not', () => {
  assert.match(check('helpers.ts', '')[0], /every file of the dashboard belongs to a room/);
  assert.deepEqual(check('ui/a.test.ts', importing('../api/session.ts')), []);
});
