import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { runCommandLine } from '../command-line.ts';
import { recordingOutput } from '../recording-output.ts';

const TOKEN = {
  id: 'token_1',
  value: 'gptj_whole',
  name: 'ci',
  created_at: 0,
  updated_at: 0,
  expires_at: 1_800_000_000,
  is_active: true,
  is_enabled: true,
  scopes: ['run'],
};

let folder: string;
let server: Server;
let url: string;
/** What the server was asked. */
let asked: { readonly method: string; readonly url: string; readonly body: string }[];
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gptj-admin-'));
  asked = [];
  server = createServer(async (request, reply) => {
    if (request.headers.authorization !== 'Bearer owner-token') {
      reply.writeHead(403, { 'content-type': 'application/json' });
      reply.end('{"detail": {"message": "only an owner of this server may take a backup"}}');
      return;
    }
    const { method = '', url: path = '' } = request;
    asked.push({ method, url: path, body: await text(request) });
    if (path === '/v2/admin/backup') reply.end('the backup');
    else if (method !== 'GET') reply.end(JSON.stringify(TOKEN));
    else reply.end(JSON.stringify({ skip: 0, limit: 100, total: 1, data: [{ ...TOKEN, value: 'gptj_ab…' }] }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
});
after(async () => {
  server.close();
  server.closeAllConnections();
  await rm(folder, { recursive: true });
});

async function admin(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const stdout = recordingOutput({});
  const stderr = recordingOutput({});
  const status = await runCommandLine(['admin', ...args], {
    stdout: stdout.output,
    stderr: stderr.output,
    stdin: Readable.from([]),
    env,
    signal: new AbortController().signal,
    now: () => 0,
  });
  return { status, stdout: stdout.text(), stderr: stderr.text() };
}

test('a running server is asked for its backup with the token of an owner', async () => {
  const path = join(folder, 'backup');
  const { status, stdout } = await admin(['backup', path, '--url', url], { GPTJ_API_TOKEN: 'owner-token' });
  assert.equal(status, 0);
  assert.match(stdout, /backup: 10 B/);
  assert.equal(await readFile(path, 'utf8'), 'the backup');
});

test('a refusal is shown, and no file is made', async () => {
  const path = join(folder, 'refused');
  const { status, stderr } = await admin(['backup', path, '--url', url, '--token', 'member-token']);
  assert.equal(status, 1);
  assert.match(stderr, /403 only an owner of this server/);
  assert.ok(!stderr.includes('member-token'));
  assert.ok(!(await readdir(folder)).some((name) => name.startsWith('refused')));
});

test('a file that is there is not overwritten', async () => {
  const path = join(folder, 'there');
  await writeFile(path, 'precious');
  const { status, stderr } = await admin(['backup', path, '--url', url, '--token', 'owner-token']);
  assert.equal(status, 1);
  assert.match(stderr, /is there already/);
  assert.equal(await readFile(path, 'utf8'), 'precious');
});

test('a folder without a store, an unknown task and a PostgreSQL are refused in words', async () => {
  const path = join(folder, 'never');
  assert.match((await admin(['backup', path, '--data-dir', join(folder, 'none')])).stderr, /holds no store/);
  assert.match((await admin(['backup', path], { DATABASE_URL: 'postgres://x' })).stderr, /pg_dump/);
  const lost = (await admin(['backup', join(folder, 'no', 'x'), '--url', url, '--token', 'owner-token'])).stderr;
  assert.match(lost, /there is no folder .*no; make it first/);
  assert.doesNotMatch(lost, /ENOENT|partial/);
  assert.match((await admin(['nope'])).stderr, /expected backup, restore or token, got "nope"/);
  assert.match((await admin(['restore', join(folder, 'missing'), '--data-dir', folder])).stderr, /is no backup/);
  assert.deepEqual(
    await Promise.all(
      [['burn', path], ['backup'], ['backup', path, '--url', url]].map(async (a) => (await admin(a)).status),
    ),
    [2, 2, 2],
  );
  assert.ok(!(await readdir(folder)).some((name) => name.startsWith('never')));
});

test('a token is made, shown once on a line of its own, listed and disabled', async () => {
  const env = { GPTJ_API_TOKEN: 'owner-token', PIPELINE_API_URL: url };
  asked.length = 0;
  const made = await admin(['token', 'create', 'ci', '--type', 'runner', '--expires', '2027-01-15'], env);
  assert.deepEqual([made.status, made.stdout], [0, 'gptj_whole\n']);
  assert.deepEqual(JSON.parse(asked[0]?.body ?? ''), {
    type: 'runner',
    name: 'ci',
    expires_at: '2027-01-15T23:59:59Z',
  });
  const listed = await admin(['token', 'list'], env);
  assert.match(listed.stdout, /token_1 +ci +run +active +2027-01-15/);
  assert.ok(!listed.stdout.includes('gptj_whole'));
  assert.equal((await admin(['token', 'disable', 'token_1/../x'], env)).status, 0);
  assert.deepEqual(asked.at(-1), { method: 'PATCH', url: '/v2/tokens/token_1%2F..%2Fx', body: '{"is_enabled":false}' });
});

test('what token cannot do is said before anything is asked', async () => {
  const env = { GPTJ_API_TOKEN: 'owner-token', PIPELINE_API_URL: url };
  asked.length = 0;
  for (const args of [
    ['burn'],
    ['disable'],
    ['create', 'a', 'b'],
    ['create', '--expires', 'soon'],
    ['create', '--type', 'god'],
  ]) {
    assert.equal((await admin(['token', ...args], env)).status, 2, args.join(' '));
  }
  assert.deepEqual(asked, []);
});
