import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { apiRoutes } from './api-routes.ts';

const folder = fileURLToPath(new URL('../../../clients/python', import.meta.url));
const skip = missingPython();

test("the Python client's own tests pass", { skip }, () => {
  const run = spawnSync('python3', ['-W', 'error', '-m', 'unittest'], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' },
    timeout: 180_000,
  });
  assert.equal(run.status, 0, run.stderr);
  assert.match(run.stderr, /^Ran [1-9]\d* tests/m);
});

test('every route of the API has a call of the Python clients, or a reason why it has none', { skip }, async () => {
  const routes = await apiRoutes();
  const run = spawnSync('python3', ['-W', 'error', '-m', 'tests.routes'], {
    cwd: folder,
    encoding: 'utf8',
    input: routes.join('\n'),
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' },
    timeout: 180_000,
  });
  assert.equal(run.status, 0, run.stdout + run.stderr);
});

function missingPython(): string | false {
  const version = spawnSync('python3', ['-c', 'import sys; sys.exit(sys.version_info < (3, 9))'], { timeout: 20_000 });
  if (version.error) return 'python3 is not installed';
  return version.status === 0 ? false : 'python3 is older than 3.9';
}
