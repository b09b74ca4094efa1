import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkImportLaw } from './import-law.mjs';

const check = (path, text) => checkImportLaw([{ path: `apps/server/src/${path}`, text }]);
const importing = (from) => `import { x } from '${from}';\n`;

test('a room imports rooms below it and itself', () => {
  assert.deepEqual(check('runs/run-service.ts', importing('../metering/usage/ticket.ts') + importing('./run.ts')), []);
  assert.deepEqual(check('api/openai/routes.ts', importing('../../http/sse.ts') + importing('hono')), []);
});

test('an import upwards is reported with file, line, import, law and remedy', () => {
  const findings = check('identity/users/user.ts', `\n${importing('../../runs/run.ts')}`);
  assert.equal(findings.length, 1);
  assert.match(
    findings[0],
    /^apps\/server\/src\/identity\/users\/user\.ts:2 imports runs\/run\.ts: identity may not import runs, only audit, store, .*; move the code, or declare/,
  );
});

test('types and re-exports count as imports', () => {
  assert.equal(check('store/db.ts', `import type { Run } from '../runs/run.ts';\n`).length, 1);
  assert.equal(check('store/db.ts', `export { run } from '../runs/run.ts';\n`).length, 1);
});

test('http, telemetry and store import no feature', () => {
  for (const room of ['http', 'telemetry', 'store']) {
    for (const feature of ['runs', 'webhooks', 'generation', 'metering', 'identity', 'audit', 'api']) {
      assert.equal(check(`${room}/a.ts`, importing(`../${feature}/b.ts`)).length, 1, `${room} → ${feature}`);
    }
  }
});

test('only api/, http/ and app.ts import Hono', () => {
  assert.match(check('runs/run.ts', importing('hono/streaming'))[0], /only api\/, http\/ and app\.ts know Hono/);
  assert.equal(check('http/listen.ts', importing('@hono/node-server')).length, 0);
});

test('only store/ opens a database', () => {
  assert.match(check('runs/run.ts', importing('pg'))[0], /only store\/ opens a database/);
  assert.match(check('main.ts', importing('drizzle-orm/pglite'))[0], /only store\/ opens a database/);
  assert.deepEqual(check('runs/run-store.ts', importing('drizzle-orm')), []);
});

test("only the stores of the owning folder, other tables and store's schema list import tables", () => {
  const tables = importing('../identity/identity-tables.ts');
  assert.match(check('identity/users.ts', tables)[0], /only the \*-store\.ts files of identity\/ import its tables/);
  assert.match(check('metering/usage-store.ts', tables)[0], /only the \*-store\.ts files of identity\//);
  assert.deepEqual(check('identity/user-store.ts', tables), []);
  assert.deepEqual(check('metering/usage-tables.ts', tables), []);
  assert.deepEqual(check('store/schema.ts', tables), []);
  assert.equal(check('store/db.ts', tables).length, 1);
});

test('only main and compose import config/', () => {
  assert.deepEqual(check('main.ts', importing('./config/settings.ts')), []);
  assert.deepEqual(check('compose.ts', importing('./config/settings.ts')), []);
  assert.equal(check('app.ts', importing('./config/settings.ts')).length, 1);
  assert.equal(check('api/access/auth.ts', importing('../../config/settings.ts')).length, 1);
});

test('tests and testing/ import anything, and production does not import testing/', () => {
  assert.deepEqual(check('store/db.test.ts', importing('../api/routes.ts')), []);
  assert.deepEqual(check('testing/test-app.ts', importing('../app.ts')), []);
  assert.equal(check('app.ts', importing('./testing/test-app.ts')).length, 1);
});

test('a file outside every room is reported', () => {
  assert.match(check('stray.ts', '')[0], /every file of the server belongs to a room/);
});
