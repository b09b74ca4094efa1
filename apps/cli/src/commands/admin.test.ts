import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { runCommandLine } from '../command-line.ts';
import { recordingOutput } from '../testing/recording-output.ts';

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
/** The requests that the server received. */
let received: { readonly method: string; readonly url: string; readonly body: string }[];
/** Password and code that came with the last request. */
let confirmed: readonly unknown[] = [];
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gptj-admin-'));
  received = [];
  server = createServer(async (request, reply) => {
    if (request.headers.authorization !== 'Bearer owner-token') {
      reply.writeHead(403, { 'content-type': 'application/json' });
      reply.end('{"detail": {"message": "only an owner of this server may take a backup"}}');
      return;
    }
    const { method = '', url: path = '' } = request;
    received.push({ method, url: path, body: await text(request) });
    confirmed = [request.headers['x-confirm-password'], request.headers['x-confirm-code']];
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

async function admin(args: readonly string[], env: NodeJS.ProcessEnv = {}, stdin: Readable = Readable.from([])) {
  const stdout = recordingOutput({});
  const stderr = recordingOutput({});
  const status = await runCommandLine(['admin', ...args], {
    stdout: stdout.output,
    stderr: stderr.output,
    stdin,
    env: { HOME: folder, ...env },
    signal: new AbortController().signal,
    now: () => 0,
  });
  return { status, stdout: stdout.text(), stderr: stderr.text() };
}

test('downloads the backup of a running server with the token of an owner', async () => {
  const path = join(folder, 'backup');
  const { status, stdout } = await admin(['backup', path, '--url', url], { GPTJ_API_TOKEN: 'owner-token' });
  assert.equal(status, 0);
  assert.match(stdout, /backup: 10 B/);
  assert.equal(await readFile(path, 'utf8'), 'the backup');
});

test('shows the refusal of the server, and creates no file', async () => {
  const path = join(folder, 'refused');
  const { status, stderr } = await admin(['backup', path, '--url', url, '--token', 'member-token']);
  assert.equal(status, 1);
  assert.match(stderr, /403: only an owner of this server/);
  assert.ok(!stderr.includes('member-token'));
  assert.ok(!(await readdir(folder)).some((name) => name.startsWith('refused')));
});

test('does not overwrite an existing file', async () => {
  const path = join(folder, 'there');
  await writeFile(path, 'precious');
  const { status, stderr } = await admin(['backup', path, '--url', url, '--token', 'owner-token']);
  assert.equal(status, 1);
  assert.match(stderr, /already exists/);
  assert.equal(await readFile(path, 'utf8'), 'precious');
});

test('refuses a folder without a store, an unknown task and a PostgreSQL store with a message', async () => {
  const path = join(folder, 'never');
  assert.match((await admin(['backup', path, '--data-dir', join(folder, 'none')])).stderr, /holds no store/);
  assert.match((await admin(['backup', path], { DATABASE_URL: 'postgres://x' })).stderr, /pg_dump/);
  const lost = (await admin(['backup', join(folder, 'no', 'x'), '--url', url, '--token', 'owner-token'])).stderr;
  assert.match(lost, /the folder .*no does not exist; create it first/);
  assert.doesNotMatch(lost, /ENOENT|partial/);
  assert.match(
    (await admin(['nope'])).stderr,
    /admin: "nope"; expected one of backup, restore, migrate, models, serve, unserve, queue/,
  );
  assert.match((await admin(['restore', join(folder, 'missing'), '--data-dir', folder])).stderr, /is not a backup/);
  const migrate = async (...args: string[]) => await admin(['migrate', '--data-dir', join(folder, 'none'), ...args]);
  assert.match((await migrate()).stderr, /expected one of --to postgres:\/\/… and --from/);
  const wrong = await migrate('--to', 'mysql://u:hunter2@db/x');
  assert.match(wrong.stderr, /--to: expected postgres:\/\/user:password@host/);
  assert.doesNotMatch(wrong.stderr, /hunter2/);
  assert.match((await migrate('--to', 'postgres://db/x')).stderr, /holds no store/);
  assert.deepEqual(
    await Promise.all(
      [['burn', path], ['backup'], ['backup', path, '--url', url]].map(async (a) => (await admin(a)).status),
    ),
    [2, 2, 2],
  );
  assert.ok(!(await readdir(folder)).some((name) => name.startsWith('never')));
});

test('creates a token and prints its value alone on a line, lists and disables tokens', async () => {
  const env = { GPTJ_API_TOKEN: 'owner-token', PIPELINE_API_URL: url };
  received.length = 0;
  const made = await admin(['token', 'create', 'ci', '--type', 'runner', '--expires', '2027-01-15'], env);
  assert.deepEqual([made.status, made.stdout], [0, 'gptj_whole\n']);
  assert.match(made.stderr, /name it PIPELINE_API_TOKEN/);
  assert.deepEqual(JSON.parse(received[0]?.body ?? ''), {
    scopes: ['run'],
    name: 'ci',
    expires_at: '2027-01-15T23:59:59.000Z',
  });
  const listed = await admin(['token', 'list'], env);
  assert.match(listed.stdout, /token_1 +ci +run +active +2027-01-15/);
  assert.ok(!listed.stdout.includes('gptj_whole'));
  assert.equal((await admin(['token', 'disable', 'token_1/../x'], env)).status, 0);
  assert.deepEqual(received.at(-1), {
    method: 'PATCH',
    url: '/v2/tokens/token_1%2F..%2Fx',
    body: '{"is_enabled":false}',
  });
});

test('sends the password of the environment to create and to enable a token, and not to disable one', async () => {
  const env = { GPTJ_API_TOKEN: 'owner-token', PIPELINE_API_URL: url, GPTJ_PASSWORD: 'pässword 1' };
  for (const [args, expected] of [
    [['create'], ['p%C3%A4ssword%201', undefined]],
    [
      ['create', '--code', '123456'],
      ['p%C3%A4ssword%201', '123456'],
    ],
    [
      ['enable', 'token_1'],
      ['p%C3%A4ssword%201', undefined],
    ],
    [
      ['disable', 'token_1'],
      [undefined, undefined],
    ],
  ] as const) {
    const { status, stdout, stderr } = await admin(['token', ...args], env);
    assert.equal(status, 0);
    assert.deepEqual(confirmed, expected, args.join(' '));
    assert.ok(!`${stdout}${stderr}`.includes('ssword'));
  }
});

test('asks for the password at a terminal, and does not show it', async () => {
  const stdin = Object.assign(new PassThrough(), { isTTY: true });
  stdin.end('typed password\n');
  const { status, stderr } = await admin(
    ['token', 'create'],
    { GPTJ_API_TOKEN: 'owner-token', PIPELINE_API_URL: url },
    stdin,
  );
  assert.equal(status, 0);
  assert.deepEqual(confirmed, ['typed%20password', undefined]);
  assert.match(stderr, /^Password of the token's user: \n/m);
  assert.ok(!stderr.includes('typed'));
});

test('refuses invalid token commands before it sends a request', async () => {
  const env = { GPTJ_API_TOKEN: 'owner-token', PIPELINE_API_URL: url };
  received.length = 0;
  for (const args of [
    ['burn'],
    ['disable'],
    ['create', 'a', 'b'],
    ['create', '--expires', 'soon'],
    ['create', '--type', 'god'],
  ]) {
    assert.equal((await admin(['token', ...args], env)).status, 2, args.join(' '));
  }
  assert.deepEqual(received, []);
});
