// Runs the tests of the release before on the schema of this checkout: what a rolling update does to a server of that release.
// Its tests open each store as a new database of a PostgreSQL, and a new database is a copy of `template1`: there the migrations of
// this checkout are applied first.
//
//   node scripts/previous-release.mjs [--force] [--all] [TEST-FILE ...]
//
// Without a newer migration there is nothing to test, unless --force asks for it. Exit status 2: the clone lacks that commit.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { prepare, root } from './prepare.mjs';
import { checkOutPrevious, describeMissingPrevious, previous } from './trials/previous-checkout.mjs';
import { startTemporaryPostgres } from './trials/temporary-postgres.mjs';

const MIGRATIONS = join(root, 'apps/server/src/store/migrations');
/** Tests of stores, and with --all those of the API on one. */
const OPENS_STORE = /testing\/test-store\.ts'/;
const OPENS_APP = /testing\/(?:oauth-)?test-app\.ts'/;

/** They compare the schema with their own tables, or with that of an embedded store: a store is moved by the newest version alone. */
const SCHEMA_TESTS = ['store/schema-drift.test.ts', 'store/move-store.test.ts'];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { force: { type: 'boolean' }, all: { type: 'boolean' } },
});
const { commit, schema } = previous;
const missing = describeMissingPrevious();
const current = readdirSync(MIGRATIONS).filter((name) => name.endsWith('.sql')).length;

if (current === schema && !values.force) {
  console.log(`no migration since the release before (schema ${schema}): its tests need not run again`);
} else if (missing !== null) {
  console.error(missing);
  process.exitCode = 2;
} else {
  await prepare();
  process.exitCode = await testPreviousRelease();
}

async function testPreviousRelease() {
  const folder = mkdtempSync(join(tmpdir(), 'gptj-previous-'));
  const postgres = await startTemporaryPostgres();
  try {
    checkOutPrevious(folder);
    const { openPostgres } = await import('../apps/server/dist/store/postgres.js');
    const template = new URL(postgres.url);
    template.pathname = '/template1';
    await (await openPostgres(template.href)).close();
    const files = positionals.length > 0 ? positionals : storeTests(folder);
    console.log(`${files.length} test files of ${commit.slice(0, 8)} (schema ${schema}) on schema ${current}`);
    const { status } = spawnSync(process.execPath, ['scripts/test.mjs', '--', ...files], {
      cwd: folder,
      stdio: 'inherit',
      env: { ...process.env, TEST_STORE: 'postgres', TEST_DATABASE_URL: postgres.url },
    });
    return status ?? 1;
  } finally {
    postgres.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** But for those about the schema itself. */
function storeTests(folder) {
  const source = join(folder, 'apps/server/src');
  const isWanted = (text) => OPENS_STORE.test(text) || (values.all && OPENS_APP.test(text));
  return readdirSync(source, { recursive: true })
    .map(String)
    .filter((path) => path.endsWith('.test.ts') && isWanted(readFileSync(join(source, path), 'utf8')))
    .filter((path) => !SCHEMA_TESTS.includes(path))
    .map((path) => `apps/server/src/${path}`)
    .sort();
}
