/** The commands for accounts, plans, projects, webhooks and files, against a server with the embedded model. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { PipelineCloud } from '@gptj-cloud/sdk';
import { jsonLines, PASSWORD, useCliServer } from './testing/cli-server.ts';

const server = useCliServer(async (url) => {
  const account = { email: 'ada@example.com', username: 'ada', password: 'Some secret 9 horse' };
  await new PipelineCloud({ url, session: true }).auth.register(account);
});
const { gptj, done } = server;

async function field(args: readonly string[], name: string): Promise<unknown> {
  const [object] = jsonLines(await done([...args, '--json']));
  return object?.[name];
}

test('users lists, shows and changes accounts by username, address or id', async () => {
  assert.match(await done(['users']), /^ada +ada@example\.com +member +free/m);
  const id = await field(['users', 'get', 'ADA'], 'id');
  assert.equal(await field(['users', 'get', 'ada@example.com'], 'id'), id);
  assert.equal(await field(['users', 'get', String(id)], 'username'), 'ada');
  assert.equal(await done(['users', 'disable', 'ada']), 'ada: disabled\n');
  assert.match(await done(['users', '--disabled']), /^ada /m);
  assert.equal(await done(['users', 'enable', 'ada']), 'ada: enabled\n');
  assert.equal(await done(['users', 'role', 'ada', 'owner']), 'ada: owner\n');
  assert.equal(await done(['users', 'role', 'ada', 'member']), 'ada: member\n');
  assert.match((await gptj(['users', 'get', 'ad'])).stderr, /no account has .*similar: ada <ada@example\.com>/);
  assert.match(
    (await gptj(['users', 'role', 'ada', 'boss'])).stderr,
    /ROLE: expected one of owner, member, got "boss"/,
  );
});

test('users delete asks first, and needs --yes without a terminal', async () => {
  const refused = await gptj(['users', 'delete', 'ada']);
  assert.deepEqual([refused.status, refused.stdout], [2, '']);
  const stdin = Object.assign(Readable.from(['n\n']), { isTTY: true });
  assert.match((await gptj(['users', 'delete', 'ada'], { stdin, columns: 80 })).stderr, /not confirmed: nothing was/);
  assert.equal(await field(['users', 'get', 'ada'], 'username'), 'ada');
});

test('plans grant puts an account on a plan by its id or name', async () => {
  assert.equal(await done(['plans', 'grant', 'ada', 'Premium']), 'ada: on the plan premium\n');
  assert.equal(await field(['users', 'get', 'ada'], 'plan_id'), 'premium');
  assert.match(await done(['plans']), /^\* +owner /m);
  const unknown = await gptj(['plans', 'grant', 'ada', 'max']);
  assert.equal(unknown.status, 1);
  assert.match(unknown.stderr, /max/);
});

test('usage sums runs by day or token, draws bars on a wide terminal, and prints CSV', async () => {
  await done(['run', 'Once', '-n', '4']);
  assert.match(await done(['usage']), /^all +\d+ +\d+ +\d+ +\d+ /m);
  assert.ok(!(await done(['usage'])).includes('█'));
  const wide = await done(['usage', '--by', 'token'], { columns: 140 });
  assert.match(wide, /^GPTJ_API_TOKEN \(token_\w+\) .*█+$/m);
  for (const line of wide.split('\n')) assert.ok(line.length <= 140);
  assert.match(await done(['usage', '--csv']), /^day,project_id,/);
  assert.ok(Array.isArray(await field(['usage'], 'rows')));
  assert.equal((await gptj(['usage', '--from', 'yesterday'])).status, 2);
});

test('projects create signs in with the password, which --json output does not contain', async () => {
  const { status, stdout } = await gptj(['projects', 'create', 'team', '--json'], {
    env: { ...server.env, GPTJ_PASSWORD: PASSWORD },
  });
  assert.equal(status, 0);
  const [project] = jsonLines(stdout);
  assert.equal(project?.name, 'team');
  assert.ok(!stdout.includes(PASSWORD));
  assert.match(await done(['projects']), /^project_\w+ +default +owner/m);
});

test('projects invite and members show the invitation, remove withdraws it', async () => {
  const [project] = jsonLines(await done(['projects', '--json']));
  const id = String(project?.id);
  const env = { ...server.env, GPTJ_PASSWORD: PASSWORD };
  assert.match(await done(['projects', 'invite', id, 'eve@example.com'], { env }), /^eve@example\.com: invited/);
  const members = jsonLines(await done(['projects', 'members', id, '--json']));
  const invited = members.find(({ role }) => role === 'invited');
  assert.equal(invited?.name, 'eve@example.com');
  assert.match(await done(['projects', 'remove', id, String(invited.id)]), /: removed\n$/);
  assert.ok(!(await done(['projects', 'members', id])).includes('eve@example.com'));
});

test('webhooks test shows what the address replied, and deliveries lists it', async (t) => {
  const receiver = createServer((_request, reply) => reply.end()).listen(0, '127.0.0.1');
  t.after(() => receiver.close());
  await once(receiver, 'listening');
  const address = receiver.address();
  const port = typeof address === 'object' ? address?.port : 0;
  const id = String(await field(['webhooks', 'create', `http://127.0.0.1:${port}/ended`], 'id'));
  assert.match(await done(['webhooks', 'test', id]), /^webhook_delivery_\w+: delivered with status 200\n$/);
  assert.match(await done(['webhooks', 'deliveries', id]), /webhook\.test +1 +delivered with status 200/);
  assert.equal(await done(['webhooks', 'disable', id]), `${id}: disabled\n`);
  assert.equal(await done(['webhooks', 'delete', id]), `${id}: deleted\n`);
  assert.equal((await gptj(['webhooks', 'create', 'http://127.0.0.1:9', '--events', 'x'])).status, 2);
});

test('files upload and download keep the bytes, and overwrite nothing unless asked', async () => {
  const source = join(server.folder, 'source.bin');
  const target = join(server.folder, 'target.bin');
  await writeFile(source, Buffer.from([0, 255, 10, 13]));
  const id = String(await field(['files', 'upload', source], 'id'));
  assert.equal(await done(['files', 'get', id]), `${id}: source.bin, 4 B\n`);
  await done(['files', 'download', id, target]);
  assert.deepEqual(await readFile(target), await readFile(source));
  assert.match((await gptj(['files', 'download', id, target])).stderr, /already exists; --overwrite replaces it/);
  await done(['files', 'download', id, target, '--overwrite']);
  assert.equal(await done(['files', 'delete', id]), `${id}: deleted\n`);
});

test('pipelines lists tags, gives and deletes tags of the project', async () => {
  assert.match(await done(['pipelines']), /gpt-j:latest/);
  assert.match(await done(['pipelines', 'tag', 'stories:v1', 'gpt-j:latest']), /^stories:v1: pipeline_/);
  assert.match(await done(['pipelines']), /stories:v1/);
  assert.match(await done(['run', 'Once', '-n', '2', '--pipeline', 'stories:v1']), /\S/);
  assert.equal(await done(['pipelines', 'untag', 'stories:v1']), 'stories:v1: deleted\n');
});

test('tokenize and detokenize give the same on a server and with a model file', async () => {
  const text = 'Once wörld 😀';
  const remote = jsonLines(await done(['tokenize', text, '--json']));
  const local = jsonLines(await done(['tokenize', text, '--json', '--local']));
  assert.deepEqual(local, remote);
  const ids = (await done(['tokenize', text, '--ids'])).trim().split(' ');
  assert.equal(await done(['tokenize', text, '--count']), `${ids.length}\n`);
  assert.equal(await done(['detokenize', ...ids]), `${text}\n`);
  assert.equal(await done(['detokenize', ids.join(','), '--local']), `${text}\n`);
  assert.match((await gptj(['tokenize', text, '--local', '--url', server.url])).stderr, /--local or --url/);
});

test('tokens creates, rotates, disables, enables and deletes a token', async () => {
  const env = { ...server.env, GPTJ_PASSWORD: PASSWORD };
  const [made] = jsonLines(await done(['tokens', 'create', 'ci', '--scopes', 'run,read', '--json'], { env }));
  const id = String(made?.id);
  assert.deepEqual(made?.scopes, ['run', 'read']);
  const rotated = await done(['tokens', 'rotate', id, '--overlap', '1'], { env });
  assert.notEqual(rotated.trim(), made.value);
  for (const value of [String(made.value), rotated.trim()]) {
    assert.match(await done(['whoami'], { env: { ...server.env, PIPELINE_API_TOKEN: value } }), /owner@example\.com/);
  }
  assert.equal(await done(['tokens', 'disable', id]), `${id}: disabled\n`);
  assert.equal(await done(['tokens', 'enable', id], { env }), `${id}: enabled\n`);
  assert.equal(await done(['tokens', 'delete', id]), `${id}: deleted\n`);
  const refused = await gptj(['tokens', 'create', 'ci']);
  assert.equal(refused.status, 1);
  assert.match(refused.stderr, /set GPTJ_PASSWORD, or run the command at a terminal/);
});

test('presets stores, shows, renames and deletes parameters, and run uses them', async () => {
  const nothing = await gptj(['presets', 'save', 'calm']);
  assert.deepEqual([nothing.status, nothing.stdout], [2, '']);
  await done(['presets', 'save', 'calm', '--temperature', '0.6', '-n', '3', '--seed', '7']);
  assert.match(await done(['presets']), /^calm +\{.*"temperature":0\.6.*\}$/m);
  const same = ['-n', '3', '--seed', '7', '--temperature', '0.6'];
  assert.equal(await done(['run', 'Once', '--preset', 'calm']), await done(['run', 'Once', ...same]));
  const fewer = jsonLines(await done(['run', 'Once', '--preset', 'calm', '-n', '1', '--json']));
  assert.equal(Object(fewer[0]?.usage).generated_tokens, 1);
  await done(['presets', 'save', 'calm', '--max-new-tokens', '2', '--prompt', 'Once upon']);
  await done(['presets', 'save', 'calm', '--sequence-bias', '[[[464], -5]]', '-n', '2']);
  const [stored] = jsonLines(await done(['presets', 'get', 'calm', '--json']));
  assert.deepEqual(
    [stored?.parameters, stored?.prompt],
    [{ sequence_bias: [[[464], -5]], max_new_tokens: 2 }, 'Once upon'],
  );
  const [listed] = jsonLines(await done(['presets', '--json']));
  assert.deepEqual(listed, stored);
  const prompted = jsonLines(await done(['run', '--preset', 'calm', '--json']));
  assert.equal(Object(prompted[0]?.usage).prompt_tokens, 2);
  assert.match(await done(['presets', 'rename', 'calm', 'even']), /^preset +even$/m);
  assert.match((await gptj(['run', 'Once', '--preset', 'evne'])).stderr, /no preset "evne"; did you mean "even"\?/);
  assert.equal(await done(['presets', 'delete', 'even']), 'even: deleted\n');
  assert.equal((await gptj(['presets'])).stderr, 'none\n');
});

test('admin shows the queue and the audit log, and turns maintenance on and off', async () => {
  assert.equal((await gptj(['admin', 'queue'])).status, 0);
  assert.match(await done(['admin', 'audit', '--action', 'token.create', '--limit', '1']), /^time +action +user/);
  assert.equal(await done(['admin', 'maintenance']), 'maintenance is off\n');
  // Longer than the minute that a client waits before it repeats a request.
  const on = await done(['admin', 'maintenance', 'on', '--message', 'back at noon', '--retry-after', '600']);
  assert.match(on, /^maintenance is on since .*: back at noon\n$/);
  assert.match((await gptj(['run', 'Once', '-n', '1'])).stderr, /^gptj: 503: back at noon/);
  assert.equal(await done(['admin', 'maintenance', 'off']), 'maintenance is off\n');
  assert.equal((await gptj(['admin', 'maintenance', 'off', '--message', 'x'])).status, 2);
});

test('admin serve and unserve change what a running server serves, and admin models lists it', async () => {
  assert.match(await done(['admin', 'models']), /^gptj-nano +loaded +\(settings\)/m);
  assert.match(
    await done(['admin', 'serve', 'embedded', '--name', 'again']),
    /^serves embedded as again, pipeline pipeline_[0-9a-f]{32}\n$/,
  );
  assert.match(await done(['admin', 'models']), /^again +unloaded +embedded /m);
  assert.ok(await done(['run', 'Once', '-n', '2', '--pipeline', 'again:latest']));
  assert.match((await gptj(['admin', 'serve', 'none'])).stderr, /has none; gptj pull/);
  assert.equal(await done(['admin', 'unserve', 'again']), 'again is served no longer\n');
  assert.equal((await gptj(['admin', 'unserve', 'gptj-nano'])).status, 1);
});
